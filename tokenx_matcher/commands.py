"""From a command's text to the 64-byte record the book takes, and what is refused before the book sees it. Pure."""

from typing import Final

from pydantic import ValidationError

from matcher_core import COMMAND as RECORD
from matcher_core import (
    MAX_ID,
    MAX_PRICE_TICKS,
    MAX_QUANTITY_LOTS,
    BookState,
    CommandFlag,
    Op,
    RejectCode,
    Side,
    TimeInForce,
)
from tokenx_common.errors import TokenxError
from tokenx_common.events import COMMAND, ClockTick, Command, MarketState, OrderCancel, OrderNew, OrderReplace

SIDES: Final = {"buy": Side.BUY, "sell": Side.SELL}
TIFS: Final = {"gtc": TimeInForce.GTC, "ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}
STATES: Final = {
    "continuous": BookState.TRADING,
    "cancel_only": BookState.CANCEL_ONLY,
    "halted": BookState.CANCEL_ONLY,  # a halt must never trap a customer in an order; the reject code still says HALTED
}

Refusal = tuple[str, int]
"""Name and number of a reject code. 6xx is the engine's own hundred; the others are the book's."""
STP_MODE_UNSUPPORTED: Final[Refusal] = ("STP_MODE_UNSUPPORTED", 601)


class CommandLogBroken(TokenxError):
    """The command log contradicts itself: a body that is no command, or a hash that does not continue the chain."""

    code = "matcher.command_log_broken"
    status = 500


def parse_command(body: str, *, cmd_seq: int) -> Command:
    """The command in a log entry. Raises CommandLogBroken: the api stores only what this accepts."""
    try:
        return COMMAND.validate_json(body)
    except ValidationError as error:
        raise CommandLogBroken(
            f"command {cmd_seq} is malformed: {error.error_count()} errors", cmd_seq=cmd_seq
        ) from None


def refusal(command: Command, *, cmd_seq: int) -> Refusal | None:
    """What is wrong with a command whatever the book holds. Depends on the command alone, so batching cannot change it."""
    if isinstance(command, MarketState | ClockTick):
        return None
    new = isinstance(command, OrderNew)
    if command.book_order_id > MAX_ID or command.owner > MAX_ID or (new and command.book_order_id != cmd_seq):
        return code(RejectCode.BAD_ORDER_ID)
    if not isinstance(command, OrderCancel) and command.price_ticks > MAX_PRICE_TICKS:
        return code(RejectCode.BAD_PRICE)
    if not isinstance(command, OrderCancel) and command.quantity_lots > MAX_QUANTITY_LOTS:
        return code(RejectCode.BAD_QUANTITY)
    if new and command.stp != "cancel_newest":
        return STP_MODE_UNSUPPORTED
    return None


def code(value: RejectCode) -> Refusal:
    """A book's reject code as it goes on the wire."""
    return value.name, value.value


def record(command: Command, *, cmd_seq: int) -> bytes:
    """The book's record of a command that was not refused; b'' for what is none of the book's business (a clock tick)."""
    match command:
        case OrderNew():
            flags = CommandFlag.POST_ONLY if command.post_only else 0
            return RECORD.pack(Op.LIMIT, SIDES[command.side], TIFS[command.tif], flags, 0, cmd_seq, command.book_order_id,
                               command.owner, 0, command.price_ticks, command.quantity_lots, 0)  # fmt: skip
        case OrderCancel():
            return RECORD.pack(Op.CANCEL, 0, 0, 0, 0, cmd_seq, command.book_order_id, command.owner, 0, 0, 0, 0)
        case OrderReplace():
            return RECORD.pack(Op.REPLACE, 0, 0, 0, 0, cmd_seq, command.book_order_id, command.owner, 0,
                               command.price_ticks, command.quantity_lots, 0)  # fmt: skip
        case MarketState():
            return RECORD.pack(Op.SET_STATE, 0, 0, 0, 0, cmd_seq, 0, 0, 0, 0, STATES[command.state], 0)
        case ClockTick():
            return b""
