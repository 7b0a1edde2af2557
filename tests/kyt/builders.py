"""Events and fills for tests."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from tokenx_common.clock import rfc3339
from tokenx_common.stream import Item
from tokenx_kyt.surveillance.fills import Fill

ZERO = "0x" + "00" * 20
LISTED = "0xa0Ee7A142d267C1f36714E4a8F75612F20a79720"
CASH = "0x" + "ca" * 20
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
USD = 10**6


def wallet(number: int) -> str:
    """A key-derived looking address."""
    return "0x" + hashlib.sha256(f"wallet {number}".encode()).hexdigest()[:40]


def transfer(seq: int, sender: str, receiver: str, amount: int, *, minutes: int = 0, token: str = CASH,
             name: str = "StableCoin", tx: int | None = None, kind: str = "transfer.final") -> Item:  # fmt: skip
    """A chain event."""
    tx_hash = "0x" + hashlib.sha256(f"tx {seq if tx is None else tx}".encode()).hexdigest()
    return {
        "seq": seq,
        "event_id": f"{kind}:0xb{seq:03x}:0",
        "type": kind,
        "occurred_at": rfc3339(NOON + timedelta(minutes=minutes)),
        "correlation_id": "cor_1",
        "block_number": seq,
        "block_hash": f"0xb{seq:03x}",
        "tx_hash": tx_hash,
        "log_index": 0,
        "payload": {"token": token, "token_name": name, "from": sender, "to": receiver, "amount": str(amount)},
    }


def settlement(seq: int, seller: str, buyer: str, *, tx: int) -> Item:
    """A settlement.final event."""
    item = transfer(seq, seller, buyer, 1, tx=tx, kind="settlement.final")
    return item | {
        "payload": {"settlement_id": "set_1", "operation_id": "op_1", "token": wallet(999), "seller": seller, "buyer": buyer,
                    "units": "1", "cash_amount": "1", "legs": [
                        {"kind": "delivery", "asset": wallet(999), "from": seller, "to": buyer, "amount": "1"},
                        {"kind": "payment", "asset": CASH, "from": buyer, "to": seller, "amount": "1"}]}
    }  # fmt: skip


def fill(exec_seq: int, seller: int, buyer: int, lots: int = 10) -> Fill:
    """A trade in which the buyer took."""
    return Fill(exec_seq, maker=seller, taker=buyer, buyer=buyer, seller=seller, price_ticks=100, lots=lots)


def trade_item(exec_seq: int, seller: int, buyer: int, lots: int = 10) -> Item:
    """An execution item of a trade. The hash is not looked at here."""
    body: dict[str, Any] = {
        "type": "trade", "cmd_seq": exec_seq, "maker_order_id": "ord_m", "taker_order_id": "ord_t", "maker_owner": seller,
        "taker_owner": buyer, "maker_book_order_id": 1, "taker_book_order_id": 2, "taker_side": "buy", "price_ticks": 100,
        "quantity_lots": lots, "maker_remaining_lots": 0, "taker_remaining_lots": 0,
    }  # fmt: skip
    return {"seq": exec_seq, "cmd_seq": exec_seq, "body": json.dumps(body), "hash": "00" * 32}


def tick_item(exec_seq: int) -> Item:
    """An execution item that is no trade."""
    body = {"type": "clock.ticked", "cmd_seq": exec_seq, "at": "2026-11-22T16:00:00Z"}
    return {"seq": exec_seq, "cmd_seq": exec_seq, "body": json.dumps(body), "hash": "00" * 32}
