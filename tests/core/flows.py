"""Our own small order-flow generator and the digests it must give, worked out by the reference book."""

import hashlib
import random
from pathlib import Path

from matcher_core import ReferenceBook, Rejected, SelfTradePrevention, Trade
from matcher_core.flow import CANCEL, HEADER, LIMIT, MAGIC, MARKET, MODIFY, RECORD
from matcher_core.records import cancel, limit, market, replace
from matcher_core.replay import RESTING_ROW, TRADE_ROW
from matcher_core.types import CommandFlag, Side, TimeInForce

Row = tuple[int, int, int, int, int, int, int, int]


def rows(seed: int, count: int, symbols: int) -> list[Row]:
    """Random operations over few prices and ids, so that every path is met, refusals and cancelling modifies included."""
    rng = random.Random(seed)
    out: list[Row] = []
    for _ in range(count):
        op = rng.choices([LIMIT, MARKET, CANCEL, MODIFY], [55, 5, 20, 20])[0]
        tif = rng.choices([0, 1, 2, 3], [7, 1, 1, 1])[0] if op in (LIMIT, MARKET) else 0
        price = 0 if op in (MARKET, CANCEL) else rng.randrange(95, 106)
        quantity = 0 if op == CANCEL else rng.randrange(0 if op == MODIFY else 1, 12)
        out.append(
            (op, rng.randrange(2), tif, 0, rng.randrange(symbols), 1 + rng.randrange(count // 4), price, quantity)
        )
    return out


def write(path: Path, flow: list[Row], *, symbols: int, warm: int = 0) -> Path:
    head = HEADER.pack(MAGIC, 1, HEADER.size, RECORD.size, symbols, len(flow), warm, 1, 200, len(flow))
    path.write_bytes(head + b"".join(RECORD.pack(*row) for row in flow))
    return path


def expected(flow: list[Row], symbols: int) -> dict[str, object]:
    """Digests and counts by the reference book, one command at a time."""
    books = [ReferenceBook(s, stp=SelfTradePrevention.OFF) for s in range(symbols)]
    trades: list[bytes] = []
    rejected = 0
    for op, side, tif, _, symbol, oid, price, quantity in flow:
        for event in books[symbol].apply(_command(op, side, tif, symbol, oid, price, quantity)):
            if isinstance(event, Trade):
                trades.append(TRADE_ROW.pack(event.maker_id, event.taker_id, event.price_ticks, event.quantity_lots))
            rejected += isinstance(event, Rejected)
    resting = [
        RESTING_ROW.pack(book.symbol, o.side, o.price_ticks, o.order_id, o.open_lots)
        for book in books
        for o in book.orders()
    ]
    return {
        "trades": len(trades),
        "trades_digest": digest(trades),
        "resting": len(resting),
        "book_digest": digest(resting),
        "rejected": rejected,
    }


def _command(op: int, side: int, tif: int, symbol: int, oid: int, price: int, quantity: int):
    if op == LIMIT:
        flags = CommandFlag.POST_ONLY if tif == 3 else 0
        return limit(
            order_id=oid,
            side=Side(side),
            price=price,
            quantity=quantity,
            tif=TimeInForce(tif % 3),
            flags=flags,
            symbol=symbol,
        )
    if op == MARKET:
        tif = TimeInForce.FOK if tif == 2 else TimeInForce.IOC
        return market(order_id=oid, side=Side(side), quantity=quantity, tif=tif, symbol=symbol)
    if op == CANCEL or quantity == 0:
        return cancel(order_id=oid, symbol=symbol)
    return replace(order_id=oid, price=price, quantity=quantity, symbol=symbol)


def digest(parts: list[bytes]) -> str:
    return hashlib.blake2b(b"".join(parts), digest_size=32).hexdigest()
