"""Two tables of the rulebook, found by asking it: which orders go with which time in force, and what each state takes."""

from docs.generator import prose
from matcher_core import records
from matcher_core.records import Command
from matcher_core.reference import checks
from matcher_core.reference.data import BookData
from matcher_core.types import BookState, CommandFlag, PegKind, RejectCode, SelfTradePrevention, Side, TimeInForce

LIMIT = records.limit(order_id=1, side=Side.BUY, price=100, quantity=100)
MARKET = records.market(order_id=1, side=Side.BUY, quantity=100)
ORDERS: dict[str, Command] = {
    "limit": LIMIT,
    "market": MARKET,
    "limit, post-only": LIMIT._replace(flags=CommandFlag.POST_ONLY),
    "limit, hidden": LIMIT._replace(flags=CommandFlag.HIDDEN),
    "limit, post-only, hidden": LIMIT._replace(flags=CommandFlag.POST_ONLY | CommandFlag.HIDDEN),
    "iceberg": LIMIT._replace(display_quantity=10),
    "iceberg, post-only": LIMIT._replace(display_quantity=10, flags=CommandFlag.POST_ONLY),
    "limit, minimum quantity": LIMIT._replace(min_quantity=10),
    "market, minimum quantity": MARKET._replace(min_quantity=10),
    "stop": MARKET._replace(stop_price=90),
    "stop-limit": LIMIT._replace(stop_price=90),
    "trailing stop": MARKET._replace(trail_offset=5),
    "peg": LIMIT._replace(price=0, peg=PegKind.MIDPOINT),
}
"""What each order is beside its time in force."""

COMMANDS: dict[str, Command] = {
    "limit": LIMIT,
    "limit IOC, FOK; market": LIMIT._replace(tif=TimeInForce.IOC),
    "limit, post-only": LIMIT._replace(flags=CommandFlag.POST_ONLY),
    "limit OPG": LIMIT._replace(tif=TimeInForce.OPG),
    "limit CLS": LIMIT._replace(tif=TimeInForce.CLS),
    "stop, peg": MARKET._replace(stop_price=90, tif=TimeInForce.GTC, flags=CommandFlag.DETAILS),
    "replace": records.replace(order_id=1, price=100, quantity=1),
    "cancel, mass cancel": records.cancel(order_id=1),
    "clock, bands": records.clock(1),
    "uncross": records.uncross(),
    "state, except TRADING": records.set_state(BookState.HALTED),
    "state TRADING": records.set_state(BookState.TRADING),
}
"""One command for each row of the second table."""


def orders_by_time_in_force() -> str:
    rows = [(kind, *(_answer(_lasting(order, tif)) for tif in TimeInForce)) for kind, order in ORDERS.items()]
    return prose.table(("", *(tif.name for tif in TimeInForce)), rows)


def commands_by_state() -> str:
    """In the call states with a call pending, as it is there until the uncross."""
    rows = [(what, *(_taken(command, state) for state in BookState)) for what, command in COMMANDS.items()]
    return prose.table(("", *(state.name for state in BookState)), rows)


def _lasting(order: Command, tif: TimeInForce) -> Command:
    lasting = order._replace(tif=tif, expire_at=1 if tif is TimeInForce.GTD else 0)
    details = any(lasting[records.FIRST_FIELDS :])
    return lasting._replace(flags=lasting.flags | CommandFlag.DETAILS) if details else lasting


def _answer(command: Command) -> str:
    return _said(checks.malformed(command, 0))


def _taken(command: Command, state: BookState) -> str:
    book = BookData(0, SelfTradePrevention.OFF, 1)
    book.state, book.call_pending = state, state >= BookState.OPENING_AUCTION
    return _said(checks.not_now(book, command))


def _said(code: RejectCode | None) -> str:
    return "yes" if code is None else f"{int(code)}"
