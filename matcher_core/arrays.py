"""What numpy does faster: packing flow records, and picking trades out of events. Imported only where numpy is installed.

flow.py and replay.py have the same functions in plain Python, and the tests compare the two.
"""

import numpy as np
from numpy.typing import NDArray

from matcher_core.feeds.chunks import Bytes
from matcher_core.flow import MODIFY, OUTCOMES
from matcher_core.records import COMMAND_FIELDS, EVENT_FIELDS
from matcher_core.types import EventType, Op

FLOW_FIELDS = [
    ("op", "u1"), ("side", "u1"), ("tif", "u1"), ("zero", "u1"), ("symbol", "<u4"), ("id", "<u8"), ("price", "<i8"), ("quantity", "<u8"),
]  # fmt: skip
ROW = np.dtype(FLOW_FIELDS)
COMMAND_ROW = np.dtype(COMMAND_FIELDS)
EVENT_ROW = np.dtype(EVENT_FIELDS)
TRADE_ROW = np.dtype([("maker", "<u8"), ("taker", "<u8"), ("price", "<i8"), ("quantity", "<u8")])
_TABLE: NDArray[np.uint8] = np.array(OUTCOMES, np.uint8)
_NO_PRICE = (Op.MARKET, Op.CANCEL)


def pack_flow(rows: memoryview, first: int, only: int | None = None) -> memoryview:
    """flow.pack_plainly for whole columns at once."""
    table = np.frombuffer(rows, ROW)
    seq = np.arange(first, first + len(table), dtype=np.uint64)
    if only is not None:
        wanted = table["symbol"] == only
        table, seq = table[wanted], seq[wanted]
    becomes = _TABLE[table["op"] * 4 + table["tif"]]
    quantity = table["quantity"]
    op = np.where((table["op"] == MODIFY) & (quantity == 0), np.uint8(Op.CANCEL), becomes[:, 0])
    out = np.zeros(len(table), COMMAND_ROW)
    out["op"] = op
    out["side"] = table["side"] * becomes[:, 1]
    out["tif"], out["flags"] = becomes[:, 2], becomes[:, 3]
    out["symbol"], out["seq"], out["order_id"] = table["symbol"], seq, table["id"]
    out["price"] = np.where(np.isin(op, _NO_PRICE), 0, table["price"])
    out["quantity"] = np.where(op == Op.CANCEL, 0, quantity)
    return out.view(np.uint8).data if len(out) else memoryview(b"")


def pick_trades(events: Bytes) -> tuple[bytes, list[int]]:
    """replay.pick_trades_plainly for whole columns at once."""
    table = np.frombuffer(events, EVENT_ROW)
    found = table[table["type"] == EventType.TRADE]
    out = np.empty(len(found), TRADE_ROW)
    out["maker"], out["taker"] = found["counter_id"], found["order_id"]
    out["price"], out["quantity"] = found["price"], found["quantity"]
    refused = table["seq"][table["type"] == EventType.REJECTED]
    return out.tobytes(), refused.tolist()
