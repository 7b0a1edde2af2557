"""A trade as the detectors see it."""

from dataclasses import dataclass

from tokenx_common.events import Trade


@dataclass(frozen=True)
class Fill:
    """Owners are owner groups; lots moved from seller to buyer."""

    exec_seq: int
    maker: int
    taker: int
    buyer: int
    seller: int
    price_ticks: int
    lots: int


def fill_of(exec_seq: int, trade: Trade) -> Fill:
    maker, taker = trade.maker_owner, trade.taker_owner
    buyer, seller = (taker, maker) if trade.taker_side == "buy" else (maker, taker)
    return Fill(exec_seq, maker, taker, buyer, seller, trade.price_ticks, trade.quantity_lots)
