"""The state machine of orders, against the real book: random commands, folded as ingestion folds them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenx_api.orders.models import Terms
from tokenx_api.orders.rules import CLOSED, LEGAL, IllegalTransition, OrderState, canceled, rejected
from tokenx_api.orders.service.fold import Folded, fold
from tokenx_common.canonical import ZERO_HASH, canonical_json, rolling_hash
from tokenx_common.events import EXECUTION, OrderCanceled, OrderRejected
from tokenx_matcher.engine import OfferingEngine

TERMS = Terms(
    "off_1", "ACME", "USD", tick_size_minor=5, lot_size_units=10, max_units=10**9, collar_bps=1000, reference_minor=500
)


def a_state(**changes: Any) -> OrderState:
    state = OrderState(
        order_id="ord_1", investor_id="inv_1", side="buy", status="pending_new", status_reason="", quantity_lots=5, price_ticks=100,
        filled_lots=0, remaining_lots=5, filled_notional_minor=0, revision=1, held=TERMS.held("buy", price_ticks=100, lots=5),
    )  # fmt: skip
    return replace(state, **changes)


@dataclass
class Desk:
    """What the api would have stored and sent for a list of random moves."""

    engine: OfferingEngine = field(default_factory=lambda: OfferingEngine("off_1"))
    orders: dict[str, OrderState] = field(default_factory=dict[str, OrderState])
    numbers: dict[str, int] = field(default_factory=dict[str, int])
    seq: int = 0
    digest: bytes = ZERO_HASH
    waiting: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    exec_seq: int = 0
    fills: int = 0

    def send(self, command: dict[str, Any]) -> None:
        self.seq += 1
        if command["type"] == "order.new":
            command["book_order_id"] = self.numbers[command["order_id"]] = self.seq
        body = canonical_json(command)
        self.digest = rolling_hash(self.digest, body)
        self.waiting.append({"seq": self.seq, "body": body, "hash": self.digest.hex()})

    def new(self, *, owner: int, side: Any, price: int, lots: int, tif: str) -> None:
        order_id = f"ord_{len(self.orders)}"
        self.orders[order_id] = a_state(order_id=order_id, investor_id=f"inv_{owner}", side=side, price_ticks=price, quantity_lots=lots,
                                        remaining_lots=lots, held=TERMS.held(side, price_ticks=price, lots=lots))  # fmt: skip
        self.send({"type": "order.new", "order_id": order_id, "owner": owner, "side": side, "order_type": "limit", "tif": tif,
                   "price_ticks": price, "quantity_lots": lots, "post_only": False, "stp": "cancel_newest"})  # fmt: skip

    def change(self, pick: int, *, price: int, lots: int, cancel: bool) -> None:
        if not cancel:
            self.match()  # the api sends a replace only when no fill can be under way
        allowed = {"pending_cancel"} if cancel else {"pending_cancel", "pending_replace"}
        open_orders = [order for order in self.orders.values() if not order.is_closed and order.status not in allowed]
        if not open_orders:
            return
        order = open_orders[pick % len(open_orders)]
        common = {
            "order_id": order.order_id,
            "book_order_id": self.numbers[order.order_id],
            "owner": int(order.investor_id[4:]),
        }
        if cancel:
            self.orders[order.order_id] = replace(order, status="pending_cancel")
            self.send({"type": "order.cancel", "reason": "user_request"} | common)
        else:
            held = max(order.held, TERMS.held(order.side, price_ticks=price, lots=lots))
            self.orders[order.order_id] = replace(order, status="pending_replace", held=held)
            self.send({"type": "order.replace", "price_ticks": price, "quantity_lots": lots} | common)

    def match(self) -> Folded | None:
        if not self.waiting:
            return None
        items, self.waiting = self.engine.apply(self.waiting), []
        events = [(item["seq"], EXECUTION.validate_json(item["body"])) for item in items]
        folded = fold(events, self.orders, TERMS)
        self.orders = folded.states
        self.exec_seq = items[-1]["seq"]
        self.fills += len(folded.fills)
        return folded


moves = st.lists(
    st.one_of(
        st.tuples(st.just("new"), st.integers(1, 4), st.sampled_from(["buy", "sell"]), st.integers(98, 102), st.integers(1, 6),
                  st.sampled_from(["gtc", "gtc", "ioc", "fok"])),
        st.tuples(st.just("replace"), st.integers(0, 50), st.integers(98, 102), st.integers(1, 6)),
        st.tuples(st.just("cancel"), st.integers(0, 50)),
        st.tuples(st.just("match")),
    ), max_size=40,
)  # fmt: skip


@settings(max_examples=150, deadline=None, print_blob=True)
@given(moves)
def test_random_flow_keeps_every_order_consistent(steps: Sequence[tuple[Any, ...]]) -> None:
    desk = Desk()
    for step in steps:
        match step:
            case ("new", owner, side, price, lots, tif):
                desk.new(owner=owner, side=side, price=price, lots=lots, tif=tif)
            case ("replace", pick, price, lots):
                desk.change(pick, price=price, lots=lots, cancel=False)
            case ("cancel", pick):
                desk.change(pick, price=0, lots=0, cancel=True)
            case _:
                desk.match()
    desk.match()
    for order in desk.orders.values():
        assert order.held >= 0
        assert order.status not in ("pending_new", "pending_cancel", "pending_replace"), "everything was answered"
        if order.is_closed:
            assert (order.remaining_lots, order.held) == (0, 0)
        else:
            assert order.filled_lots + order.remaining_lots == order.quantity_lots
            assert order.held == TERMS.held(order.side, price_ticks=order.price_ticks, lots=order.remaining_lots)
    bought, sold = (
        sum(order.filled_lots for order in desk.orders.values() if order.side == side) for side in ("buy", "sell")
    )
    assert bought == sold
    resting = [sum(level.quantity_lots for level in side) for side in desk.engine.book.depth(100)]
    assert resting == [
        sum(order.remaining_lots for order in desk.orders.values() if order.side == side) for side in ("buy", "sell")
    ]


@settings(max_examples=60, deadline=None)
@given(moves, st.integers(1, 5))
def test_cutting_batches_elsewhere_gives_the_same_states(steps: Sequence[tuple[Any, ...]], cut: int) -> None:
    desk = Desk()
    for step in steps:
        if step[0] == "new":
            desk.new(owner=step[1], side=step[2], price=step[3], lots=step[4], tif=step[5])
    before = dict(desk.orders)
    items = desk.engine.apply(desk.waiting) if desk.waiting else []
    events = [(item["seq"], EXECUTION.validate_json(item["body"])) for item in items]
    whole = fold(events, before, TERMS).states
    pieces = before
    for start in range(0, len(events), cut):
        pieces = fold(events[start : start + cut], pieces, TERMS).states
    assert pieces == whole


@pytest.mark.parametrize("status", sorted(CLOSED))
def test_closed_orders_never_open_again(status: Any) -> None:
    assert LEGAL[status] == frozenset()
    with pytest.raises(IllegalTransition):
        canceled(
            a_state(status=status, remaining_lots=0),
            OrderCanceled(cmd_seq=1, order_id="ord_1", reason="user_request", canceled_lots=1),
        )


def test_resting_order_cannot_be_rejected() -> None:
    with pytest.raises(IllegalTransition):
        rejected(
            a_state(status="new"),
            OrderRejected(type="order.rejected", cmd_seq=1, order_id="ord_1", code="HALTED", number=201),
        )


@pytest.mark.parametrize(
    ("reason", "status"),
    [("user_request", "canceled"), ("self_trade_prevention", "canceled"), ("compliance_revoked", "canceled"), ("admin", "canceled"),
     ("day_end", "expired"), ("ioc_remainder", "expired"), ("fok_unfilled", "expired")],
)  # fmt: skip
def test_reason_decides_between_canceled_and_expired(reason: str, status: str) -> None:
    event = OrderCanceled(cmd_seq=1, order_id="ord_1", reason=reason, canceled_lots=5)
    closed = canceled(a_state(status="new"), event)
    assert (closed.status, closed.status_reason, closed.held) == (status, reason, 0)
