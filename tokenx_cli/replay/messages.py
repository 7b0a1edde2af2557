"""The one shape all loaders produce."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from dataclasses import replace as dataclass_replace
from itertools import islice
from typing import Literal

Action = Literal["new", "cancel", "replace"]


@dataclass(frozen=True)
class OrderMessage:
    """One instruction of the recorded flow.

    ref: the order's name inside the file. price_ticks: in the file's own tick grid, None for a market order and for a cancel.
    quantity: in lots; for a replace the new open quantity; 0 for a cancel."""

    action: Action
    ref: str
    side: Literal["buy", "sell"]
    order_type: Literal["limit", "market"] = "limit"
    time_in_force: Literal["gtc", "ioc", "fok"] = "gtc"
    price_ticks: int | None = None
    quantity: int = 0
    post_only: bool = False


class BadFile(Exception):
    """The file is not what its name says; the text is one plain line."""


def anchor_ticks(messages: Iterable[OrderMessage], *, sample: int = 400) -> int:
    """The price level of the flow: the middle of the first limit prices. Raises BadFile when there is none."""
    prices = sorted(message.price_ticks for message in islice(messages, sample) if message.price_ticks is not None)
    if not prices:
        raise BadFile("no priced order in the file")
    return prices[len(prices) // 2]


def from_first_trade(messages: Sequence[OrderMessage], *, lead: int = 100, depth: int = 60) -> list[OrderMessage]:
    """The part of a recording where trading happens: the book as it stands `lead` messages before the first aggressor (the best `depth` orders
    a side), then everything after. A flow without aggressors is returned whole."""
    first = next(
        (
            index
            for index, message in enumerate(messages)
            if message.time_in_force != "gtc" or message.order_type == "market"
        ),
        0,
    )
    start = max(0, first - lead)
    book: dict[str, OrderMessage] = {}
    for message in messages[:start]:
        if message.action == "cancel":
            book.pop(message.ref, None)
        elif message.action == "new" or message.ref in book:
            book[message.ref] = dataclass_replace(message, action="new")
    return [*_best(book.values(), "buy", depth), *_best(book.values(), "sell", depth), *messages[start:]]


def _best(orders: Iterable[OrderMessage], side: Literal["buy", "sell"], depth: int) -> list[OrderMessage]:
    sign = -1 if side == "buy" else 1
    return sorted((order for order in orders if order.side == side), key=lambda order: sign * (order.price_ticks or 0))[
        :depth
    ]


def only_known_orders(messages: Iterable[OrderMessage]) -> Iterator[OrderMessage]:
    """Drop cancels and replaces of orders that the flow never entered (a recording that starts in the middle)."""
    seen: set[str] = set()
    for message in messages:
        if message.action == "new":
            seen.add(message.ref)
            yield message
        elif message.ref in seen:
            yield message
