"""Bells: something of a topic changed, look again."""

from pydantic import ConfigDict

from tokenx_common.wire import WireModel


class Bell(WireModel):
    """topic: e.g. 'orders' or 'book:off_…'. ids: what changed, as far as the listener may know; empty means look again."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    topic: str
    ids: tuple[str, ...] = ()
