"""What counts as a drift."""

from collections.abc import Collection, Sequence

from tokenx_api.reconciliation.models import SUPPLY, Drift, DriftKind, Position, Token


def drifts(position: Position) -> list[Drift]:
    """All differences of one holder of one token; several books may be wrong at once."""
    found: list[Drift] = []
    if not position.is_known:
        if position.register or position.on_chain:
            found.append(_drift("unknown_holder", position, expected=0, found=position.on_chain or position.register))
    elif position.ledger - position.in_flight != position.register:
        expected = position.ledger - position.in_flight
        found.append(_drift("ledger_register", position, expected=expected, found=position.register))
    if position.on_chain is not None and position.register != position.on_chain:
        found.append(_drift("register_chain", position, expected=position.register, found=position.on_chain))
    return found


def supply_drift(token: Token, positions: Sequence[Position], *, supply: int) -> list[Drift]:
    """Units at addresses no book here has ever heard of: the token's supply, less what the known wallets hold on chain."""
    known = sum(position.on_chain or 0 for position in positions)
    return [] if known == supply else [Drift("supply", token, SUPPLY, None, known, supply)]


def confirmed(before: Collection[Drift], now: Sequence[Drift]) -> list[Drift]:
    """Those seen in two rounds running with the same figures: the books are read one after the other, so what is on its way between two
    of them may differ once."""
    seen = set(before)
    return [drift for drift in now if drift in seen]


def _drift(kind: DriftKind, position: Position, *, expected: int, found: int) -> Drift:
    return Drift(kind, position.token, position.holder, position.address, expected, found)
