"""Short ways to say commands in tests. Prices are ticks, quantities lots; owner 0 is nobody in particular."""

import os
import secrets
from typing import TypeAlias

from matcher_core import Book, Command, CommandFlag, Event, ReferenceBook, Side, TimeInForce, Trade, decode_events
from matcher_core import records as r
from matcher_core.types import BookState

AnyBook: TypeAlias = Book | ReferenceBook
BUY, SELL = Side.BUY, Side.SELL
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK
LONG_RUN = os.environ.get("TOKENX_LONG_TESTS") == "1"


def a_seed() -> int:
    """TOKENX_SEED, or a new one. Printed, so that a failure can be repeated."""
    seed = int(os.environ.get("TOKENX_SEED") or secrets.randbits(32))
    print(f"seed: TOKENX_SEED={seed}")
    return seed


def send(book: AnyBook, *commands: Command) -> tuple[Event, ...]:
    """Process commands one after the other and return all their events."""
    return decode_events(book.process(b"".join(c.pack() for c in commands)))


def buy(order_id: int, price: int, quantity: int, owner: int = 0, tif: TimeInForce = GTC, group: int = 0) -> Command:
    return r.limit(
        order_id=order_id, side=BUY, price=price, quantity=quantity, owner=owner, tif=tif, group=group, seq=order_id
    )


def sell(order_id: int, price: int, quantity: int, owner: int = 0, tif: TimeInForce = GTC, group: int = 0) -> Command:
    return r.limit(
        order_id=order_id, side=SELL, price=price, quantity=quantity, owner=owner, tif=tif, group=group, seq=order_id
    )


def post_only(command: Command) -> Command:
    return command._replace(flags=CommandFlag.POST_ONLY)


def market(order_id: int, side: Side, quantity: int, owner: int = 0, protection: int = 0, fok: bool = False) -> Command:
    tif = FOK if fok else IOC
    return r.market(order_id=order_id, side=side, quantity=quantity, owner=owner, protection=protection, tif=tif)


def cancel(order_id: int, owner: int = 0) -> Command:
    return r.cancel(order_id=order_id, owner=owner)


def replace(order_id: int, price: int, quantity: int, owner: int = 0) -> Command:
    return r.replace(order_id=order_id, price=price, quantity=quantity, owner=owner)


def state(new: BookState) -> Command:
    return r.set_state(new)


def trades(events: tuple[Event, ...]) -> list[tuple[int, int, int, int]]:
    """(maker, taker, price, quantity) of each trade."""
    return [(e.maker_id, e.taker_id, e.price_ticks, e.quantity_lots) for e in events if isinstance(e, Trade)]


def resting(book: AnyBook) -> list[tuple[int, int, int]]:
    """(id, price, open) of each resting order in priority order."""
    return [(o.order_id, o.price_ticks, o.open_lots) for o in book.orders()]


def code(events: tuple[Event, ...]) -> str | None:
    """Name of the reject code when a single command was refused, else None."""
    event = events[0]
    return event.code.name if hasattr(event, "code") else None  # pyright: ignore  # only Rejected has a code
