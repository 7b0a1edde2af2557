"""One offering's matching as a pure function: command items in, execution items out. No I/O and no clock.

The same commands give the same bodies and the same hashes, however they are cut into batches, on any machine. `tokenx verify`
replays the stored command log through `replay` and compares with the stored executions."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal, NamedTuple, Protocol

from matcher_core import (
    Accepted,
    Book,
    Canceled,
    CancelReason,
    DepthLevel,
    Event,
    RejectCode,
    Rejected,
    Replaced,
    Side,
    StateChanged,
    Trade,
    decode_events,
)
from tokenx_common.canonical import ZERO_HASH, canonical_json, rolling_hash
from tokenx_common.events import ClockTick, Command, MarketState, OrderCancel, OrderNew, OrderReplace
from tokenx_common.stream import Item
from tokenx_matcher.commands import CommandLogBroken, Refusal, code, parse_command, record, refusal

Body = dict[str, Any]
State = Literal["continuous", "halted", "cancel_only"]

REPLAY_BATCH: Final = 1000
_SIDE_NAMES: Final = {Side.BUY: "buy", Side.SELL: "sell"}
_REJECTED: Final = {
    "order.new": "order.rejected",
    "order.cancel": "cancel.rejected",
    "order.replace": "replace.rejected",
}


class BookPort(Protocol):
    """What the engine asks of a book: matcher_core.Book, or matcher_core.ReferenceBook where an oracle is wanted."""

    def process(self, commands: bytes, /) -> bytes | memoryview: ...
    def depth(self, levels: int, /) -> tuple[list[DepthLevel], list[DepthLevel]]: ...
    def snapshot(self) -> bytes: ...
    def state_hash(self) -> bytes: ...


class Party(NamedTuple):
    """Whose resting order it is, in the words of the command log."""

    order_id: str
    owner: int


@dataclass(frozen=True)
class EngineImage:
    """Everything an engine is made of. `book` is the snapshot of matcher_core; `parties` names its resting orders."""

    offering_id: str
    cmd_seq: int
    cmd_hash: bytes
    exec_seq: int
    exec_hash: bytes
    market_state: State
    parties: dict[int, Party]
    book: bytes


class OfferingEngine:
    """The book of one offering and its place in both logs."""

    def __init__(self, offering_id: str, book: BookPort | None = None) -> None:
        self.offering_id = offering_id
        self.cmd_seq = 0
        self.cmd_hash = ZERO_HASH
        self.exec_seq = 0
        self.exec_hash = ZERO_HASH
        self.market_state: State = "continuous"
        self.book: BookPort = Book() if book is None else book
        self._parties: dict[int, Party] = {}

    def apply(self, items: Sequence[Item]) -> list[Item]:
        """Match the next commands of the log; returns their executions, at least one per command.
        Raises CommandLogBroken, before any effect, unless the items are dense from cmd_seq + 1 and continue the hash chain."""
        commands, cmd_hash = self._verified(items)
        refusals = [refusal(command, cmd_seq=seq) for seq, command in commands]
        records = (
            record(command, cmd_seq=seq)
            for (seq, command), refused in zip(commands, refusals, strict=True)
            if refused is None
        )
        events = _Events(decode_events(self.book.process(b"".join(records))))
        executions: list[Item] = []
        for (seq, command), refused in zip(commands, refusals, strict=True):
            bodies = [self._rejected(command, refused)] if refused else self._bodies(command, events.of(seq))
            executions.extend(self._execution(seq, body) for body in bodies)
        self.cmd_seq, self.cmd_hash = self.cmd_seq + len(items), cmd_hash
        return executions

    def _verified(self, items: Sequence[Item]) -> tuple[list[tuple[int, Command]], bytes]:
        commands: list[tuple[int, Command]] = []
        cmd_hash = self.cmd_hash
        for seq, item in enumerate(items, self.cmd_seq + 1):
            cmd_hash = rolling_hash(cmd_hash, item["body"])
            if item["seq"] != seq or item["hash"] != cmd_hash.hex():
                raise CommandLogBroken(
                    f"{self.offering_id}: command {item['seq']} does not continue the log after {seq - 1}",
                    offering_id=self.offering_id,
                    cmd_seq=item["seq"],
                )
            commands.append((seq, parse_command(item["body"], cmd_seq=seq)))
        return commands, cmd_hash

    def _execution(self, cmd_seq: int, body: Body) -> Item:
        text = canonical_json(body | {"cmd_seq": cmd_seq})
        self.exec_seq += 1
        self.exec_hash = rolling_hash(self.exec_hash, text)
        return {"seq": self.exec_seq, "cmd_seq": cmd_seq, "body": text, "hash": self.exec_hash.hex()}

    # ---- the book's events in the words of the log ----------------------------------------------------------------

    def _bodies(self, command: Command, events: list[Event]) -> list[Body]:
        match command:
            case ClockTick():
                return [{"type": "clock.ticked", "at": command.at}]
            case MarketState():
                assert isinstance(events[0], StateChanged), events
                self.market_state = command.state
                return [{"type": "market.state_changed", "state": command.state}]
            case OrderNew():
                return self._entered(command, events)
            case OrderReplace():
                return self._replaced(command, events)
            case OrderCancel():
                return self._canceled(command, events[0])

    def _entered(self, command: OrderNew, events: list[Event]) -> list[Body]:
        first = events[0]
        if isinstance(first, Rejected):
            if first.code is RejectCode.FOK_NOT_FILLABLE:
                return [
                    {"type": "order.accepted", "order_id": command.order_id, "resting_lots": 0},
                    _cancellation(command.order_id, "fok_unfilled", command.quantity_lots),
                ]
            return [self._rejected(command, code(first.code))]
        assert isinstance(first, Accepted), events
        taker = Party(command.order_id, command.owner)
        if first.resting_lots:
            self._parties[command.book_order_id] = taker
        accepted = {"type": "order.accepted", "order_id": command.order_id, "resting_lots": first.resting_lots}
        return [accepted, *(self._after_entry(taker, event) for event in events[1:])]

    def _replaced(self, command: OrderReplace, events: list[Event]) -> list[Body]:
        first = events[0]
        if isinstance(first, Rejected):
            return [self._rejected(command, code(first.code))]
        assert isinstance(first, Replaced), events
        taker = self._parties[command.book_order_id]
        # remaining_lots is the new open quantity; trades of the same command follow and take from it, one by one.
        if not first.resting_lots:
            del self._parties[command.book_order_id]
        replaced = {"type": "order.replaced", "order_id": taker.order_id, "price_ticks": first.price_ticks,
                    "remaining_lots": first.quantity_lots, "kept_priority": first.kept_priority}  # fmt: skip
        return [replaced, *(self._after_entry(taker, event) for event in events[1:])]

    def _after_entry(self, taker: Party, event: Event) -> Body:
        """A trade of an order that has just entered, or the loss of its remainder."""
        if isinstance(event, Trade):
            return self._trade(taker, event)
        assert isinstance(event, Canceled), event
        reason = "self_trade_prevention" if event.reason is CancelReason.SELF_TRADE else "ioc_remainder"
        return _cancellation(taker.order_id, reason, event.quantity_lots)

    def _trade(self, taker: Party, event: Trade) -> Body:
        maker = self._parties[event.maker_id]
        if not event.maker_leaves_lots:
            del self._parties[event.maker_id]
        return {"type": "trade", "maker_order_id": maker.order_id, "taker_order_id": taker.order_id,
                "maker_owner": maker.owner, "taker_owner": taker.owner, "maker_book_order_id": event.maker_id,
                "taker_book_order_id": event.taker_id, "taker_side": _SIDE_NAMES[event.taker_side],
                "price_ticks": event.price_ticks, "quantity_lots": event.quantity_lots,
                "maker_remaining_lots": event.maker_leaves_lots, "taker_remaining_lots": event.taker_leaves_lots}  # fmt: skip

    def _canceled(self, command: OrderCancel, event: Event) -> list[Body]:
        if isinstance(event, Rejected):
            return [self._rejected(command, code(event.code))]
        assert isinstance(event, Canceled), event
        party = self._parties.pop(command.book_order_id)
        return [_cancellation(party.order_id, command.reason, event.quantity_lots)]

    def _rejected(self, command: Command, why: Refusal) -> Body:
        assert isinstance(command, OrderNew | OrderCancel | OrderReplace), command
        if self.market_state == "halted" and why == code(RejectCode.CANCEL_ONLY):
            why = code(RejectCode.HALTED)
        return {"type": _REJECTED[command.type], "order_id": command.order_id, "code": why[0], "number": why[1]}

    # ---- whole state ----------------------------------------------------------------------------------------------

    def state_hash(self) -> str:
        """Hash of the book's content, hex. Equal books have equal hashes, whatever their history."""
        return self.book.state_hash().hex()

    def image(self) -> EngineImage:
        """A copy of everything, cheap enough to take between two batches."""
        return EngineImage(self.offering_id, self.cmd_seq, self.cmd_hash, self.exec_seq, self.exec_hash,
                           self.market_state, dict(self._parties), self.book.snapshot())  # fmt: skip

    @classmethod
    def restore(cls, image: EngineImage) -> "OfferingEngine":
        """An engine that goes on where the image was taken. Raises ValueError when the book's bytes are no snapshot."""
        engine = cls(image.offering_id, Book.restore(image.book))
        engine.cmd_seq, engine.cmd_hash = image.cmd_seq, image.cmd_hash
        engine.exec_seq, engine.exec_hash = image.exec_seq, image.exec_hash
        engine.market_state = image.market_state
        engine._parties = dict(image.parties)
        return engine


class _Events:
    """The book's events, handed out per command. They come in the order of the commands."""

    def __init__(self, events: tuple[Event, ...]) -> None:
        self._events = events
        self._next = 0

    def of(self, cmd_seq: int) -> list[Event]:
        start = self._next
        while self._next < len(self._events) and self._events[self._next].seq == cmd_seq:
            self._next += 1
        return list(self._events[start : self._next])


def _cancellation(order_id: str, reason: str, lots: int) -> Body:
    return {"type": "order.canceled", "order_id": order_id, "reason": reason, "canceled_lots": lots}


def replay(commands: Iterable[Item], *, offering_id: str = "replay", book: BookPort | None = None) -> Iterator[Item]:
    """The executions of a command log from its first command. Raises CommandLogBroken at the entry that breaks the chain."""
    engine = OfferingEngine(offering_id, book)
    source = iter(commands)
    while batch := list(islice(source, REPLAY_BATCH)):
        yield from engine.apply(batch)
