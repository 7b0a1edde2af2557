"""Refusals of acts."""

from collections.abc import Sequence

from tokenx_api.agency.models import ItemAnswer
from tokenx_common.errors import Conflict


class ActRefused(Conflict):
    """Nothing was asked of the chain. code, side and rule are those of the first item that something stands against; items tells all."""

    def __init__(self, items: Sequence[ItemAnswer]) -> None:
        first = next(item for item in items if not item.ok)
        super().__init__(first.detail or "the act was refused", code=first.code, side=first.side, rule=first.rule,
                         items=[item.model_dump() for item in items])  # fmt: skip


class NotDeployed(Conflict):
    """The offering has no token yet."""

    code = "offering.not_deployed"


class NothingWaits(Conflict):
    """The act is signed, or over: it cannot be withdrawn any more."""

    code = "act.nothing_waits"


class UnitsOfNobody(Conflict):
    """An act moved units of a wallet that is no investor's: the ledger cannot follow."""

    code = "act.units_of_nobody"
