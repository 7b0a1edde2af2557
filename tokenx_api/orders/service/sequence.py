"""Appending to an offering's command log: the place in the log is the order of everything."""

from typing import Final

from tokenx_api.db import WriteConn
from tokenx_api.orders import queries
from tokenx_api.orders.errors import MarketMissing
from tokenx_api.orders.models import Sequenced
from tokenx_common.canonical import canonical_json
from tokenx_common.events import Command, OrderNew
from tokenx_common.stream import Item

_OWN_NUMBER: Final = '{"book_order_id":'


def stream_of(offering_id: str) -> str:
    """Name of the offering's command stream."""
    return f"cmd:{offering_id}"


def sequenced(offering_id: str, item: Item) -> Sequenced:
    return Sequenced(stream_of(offering_id), item)


async def append(conn: WriteConn, offering_id: str, command: Command) -> Sequenced:
    """The command as the log's next entry. Call it last: it holds the sequencer's row lock until the commit. Raises MarketMissing."""
    item = await queries.append_command(conn, offering_id=offering_id, body=canonical_json(command.model_dump()))
    if item is None:
        raise MarketMissing("trading of this offering was never started")
    return sequenced(offering_id, item)


def around_own_number(command: OrderNew) -> tuple[str, str]:
    """The canonical text before and after book_order_id's value: the database puts in the number it hands out."""
    body = canonical_json(command.model_dump())
    start = f"{_OWN_NUMBER}{command.book_order_id}"
    assert body.startswith(start), "book_order_id is the first key of a new order"
    return _OWN_NUMBER, body[len(start) :]
