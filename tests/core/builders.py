"""Short ways to say commands in tests. Prices are ticks, quantities lots; owner 0 is nobody in particular."""

import os
import secrets
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from matcher_core import (
    Book,
    Canceled,
    Command,
    CommandFlag,
    Event,
    PegKind,
    Place,
    ReferenceBook,
    Refreshed,
    Rejected,
    Repriced,
    Side,
    TimeInForce,
    Trade,
    Triggered,
    decode_events,
)
from matcher_core import records as r
from matcher_core.snapshot import BookImage, parse
from matcher_core.types import BookState

AnyBook: TypeAlias = Book | ReferenceBook
MakeBook: TypeAlias = Callable[..., AnyBook]
BUY, SELL = Side.BUY, Side.SELL
GTC, IOC, FOK = TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK
DAY, GTD, OPG, CLS = TimeInForce.DAY, TimeInForce.GTD, TimeInForce.OPG, TimeInForce.CLS
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
    return command._replace(flags=command.flags | CommandFlag.POST_ONLY)


def market(order_id: int, side: Side, quantity: int, owner: int = 0, protection: int = 0, fok: bool = False) -> Command:
    tif = FOK if fok else IOC
    return r.market(order_id=order_id, side=side, quantity=quantity, owner=owner, protection=protection, tif=tif)


def stop(order_id: int, side: Side, stop_price: int, quantity: int, limit: int = 0, **more: Any) -> Command:
    """A stop-limit when it has a limit, else a stop that becomes a market order. `more` are fields of the builders."""
    fields: dict[str, Any] = {"order_id": order_id, "side": side, "quantity": quantity, "stop_price": stop_price}
    fields = {**fields, "tif": GTC, **more}
    return r.limit(price=limit, **fields) if limit else r.market(**fields)


def trailing(order_id: int, side: Side, offset: int, quantity: int, limit: int = 0, **more: Any) -> Command:
    return stop(order_id, side, 0, quantity, limit, trail_offset=offset, **more)


def peg(
    order_id: int, side: Side, kind: PegKind, quantity: int, cap: int = 0, offset: int = 0, owner: int = 0
) -> Command:
    return r.limit(order_id=order_id, side=side, price=cap, quantity=quantity, peg=kind, peg_offset=offset, owner=owner)


def iceberg(order_id: int, side: Side, price: int, quantity: int, display: int, owner: int = 0) -> Command:
    return r.limit(order_id=order_id, side=side, price=price, quantity=quantity, display_quantity=display, owner=owner)


def hidden(command: Command) -> Command:
    return command._replace(flags=command.flags | CommandFlag.HIDDEN)


def sliding(command: Command) -> Command:
    return command._replace(flags=command.flags | CommandFlag.POST_ONLY | CommandFlag.SLIDE)


def at_least(command: Command, quantity: int) -> Command:
    return command._replace(flags=command.flags | CommandFlag.DETAILS, min_quantity=quantity)


def until(command: Command, expire_at: int) -> Command:
    return command._replace(flags=command.flags | CommandFlag.DETAILS, tif=GTD, expire_at=expire_at)


def at_auction(order_id: int, side: Side, quantity: int, tif: TimeInForce, price: int = 0, owner: int = 0) -> Command:
    """A market order for an auction or, with a price, a limit order."""
    if price:
        return r.limit(order_id=order_id, side=side, price=price, quantity=quantity, tif=tif, owner=owner)
    return r.market(order_id=order_id, side=side, quantity=quantity, tif=tif, owner=owner)


def cancel(order_id: int, owner: int = 0) -> Command:
    return r.cancel(order_id=order_id, owner=owner)


def replace(order_id: int, price: int, quantity: int, owner: int = 0) -> Command:
    return r.replace(order_id=order_id, price=price, quantity=quantity, owner=owner)


def state(new: BookState) -> Command:
    return r.set_state(new)


AUCTION = r.set_state(BookState.AUCTION)
OPENING = r.set_state(BookState.OPENING_AUCTION)
CLOSING = r.set_state(BookState.CLOSING_AUCTION)
UNCROSS = r.uncross()


def deal_at(price: int, order_id: int = 900) -> tuple[Command, Command]:
    """One lot changes hands: the last price is then `price`. For a book with nothing better."""
    return sell(order_id, price, 1), buy(order_id + 1, price, 1, tif=IOC)


AnEvent = TypeVar("AnEvent", bound=Event)


def of(kind: type[AnEvent], events: tuple[Event, ...]) -> list[AnEvent]:
    return [event for event in events if isinstance(event, kind)]


def last(book: AnyBook, *commands: Command) -> tuple[Event, ...]:
    """The events of the last of some commands, as if sent with seq 0. The others must be accepted."""
    for command in commands[:-1]:
        assert not of(Rejected, events := send(book, command)), (command, events)
    return tuple(event._replace(seq=0) for event in send(book, commands[-1]))


def story(events: tuple[Event, ...]) -> list[str]:
    """What kind of event, in order."""
    return [type(event).__name__ for event in events]


def places(book: AnyBook) -> dict[int, Place]:
    """Where each live order is."""
    return {order.order_id: order.place for order in book.orders()}


def triggered(events: tuple[Event, ...]) -> list[int]:
    return [event.order_id for event in of(Triggered, events)]


def canceled(events: tuple[Event, ...]) -> list[tuple[int, int, str]]:
    """(id, quantity, reason) of each cancel."""
    return [(event.order_id, event.quantity_lots, event.reason.name) for event in of(Canceled, events)]


def repriced(events: tuple[Event, ...]) -> list[tuple[int, int]]:
    """(id, new price) of each."""
    return [(event.order_id, event.price_ticks) for event in of(Repriced, events)]


def refreshed(events: tuple[Event, ...]) -> list[tuple[int, int, int]]:
    """(id, now shown, open) of each."""
    return [(event.order_id, event.shown_lots, event.open_lots) for event in of(Refreshed, events)]


def standing(book: AnyBook) -> BookImage:
    """The whole book but for what even a refusal changes: the rolling hash and the count of refusals."""
    image = parse(book.snapshot())
    return image._replace(header=image.header._replace(rolling_hash=0, rejected=0))


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
