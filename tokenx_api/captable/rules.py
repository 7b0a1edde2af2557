"""When the ledger and the chain agree."""

from collections.abc import Sequence

from tokenx_api.captable.models import Holder


def total_units(holders: Sequence[Holder]) -> int:
    """Units the ledger knows of, each counted for whoever owns it since the trade."""
    return sum(holder.ledger for holder in holders)


def on_chain_supply(holders: Sequence[Holder]) -> int:
    """Units in wallets, by final transfers."""
    return sum(holder.on_chain for holder in holders)


def agrees(holders: Sequence[Holder], *, issued_units: int) -> bool:
    """Whether each wallet will hold exactly what the ledger says once everything in flight has arrived, and nothing was issued or
    redeemed on one side only."""
    per_holder = all(holder.on_chain + holder.in_flight == holder.ledger for holder in holders)
    return per_holder and total_units(holders) == issued_units == on_chain_supply(holders)
