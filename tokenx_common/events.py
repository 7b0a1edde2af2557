"""Every event that crosses a process boundary, as frozen models. docs/asyncapi/events.schema.json is their snapshot; a test compares.

Names are past tense noun.verb. Numbers that could exceed 2^53 travel as decimal strings; ticks and lots are integers by design."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Side = Literal["buy", "sell"]
Seq = Annotated[int, Field(gt=0)]


class Event(BaseModel):
    """Base of all events: frozen, unknown members are an error on our own streams."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Announcement(Event):
    """Items of a stream, rung on Redis. Dense: items[0].seq == prev_seq + 1, items[-1].seq == seq. May be lost, doubled or late."""

    v: Literal[1] = 1
    stream: str
    epoch: int = Field(ge=0)
    prev_seq: int = Field(ge=0)
    seq: Seq
    items: list[dict[str, Any]]


class Heartbeat(Event):
    """The head of a stream, so that a lost last message is found too."""

    v: Literal[1] = 1
    stream: str
    epoch: int = Field(ge=0)
    head: int = Field(ge=0)


class ReplayPage(Event):
    """Answer of GET /internal/streams/{stream}?after=: items in seq order, dense from after + 1; empty at the head."""

    stream: str
    epoch: int = Field(ge=0)
    head: int = Field(ge=0)
    items: list[dict[str, Any]]


# --- cmd:<offering_id>: what the api tells the matcher. Everything that is not a pure function of the log is itself a command. ---


class OrderNew(Event):
    type: Literal["order.new"] = "order.new"
    order_id: str
    book_order_id: Seq
    owner: int = Field(gt=0)
    side: Side
    order_type: Literal["limit"] = "limit"
    tif: Literal["gtc", "ioc", "fok"]
    price_ticks: int = Field(gt=0)
    quantity_lots: int = Field(gt=0)
    post_only: bool = False
    stp: Literal["cancel_newest", "cancel_oldest", "cancel_both"] = "cancel_newest"


class OrderCancel(Event):
    type: Literal["order.cancel"] = "order.cancel"
    order_id: str
    book_order_id: Seq
    owner: int = Field(gt=0)
    reason: Literal["user_request", "compliance_revoked", "admin", "day_end"]


class OrderReplace(Event):
    type: Literal["order.replace"] = "order.replace"
    order_id: str
    book_order_id: Seq
    owner: int = Field(gt=0)
    price_ticks: int = Field(gt=0)
    quantity_lots: int = Field(gt=0, description="the new open quantity")


class MarketState(Event):
    type: Literal["market.state"] = "market.state"
    state: Literal["continuous", "halted", "cancel_only"]


class ClockTick(Event):
    type: Literal["clock.tick"] = "clock.tick"
    at: str


Command = Annotated[OrderNew | OrderCancel | OrderReplace | MarketState | ClockTick, Field(discriminator="type")]
COMMAND: TypeAdapter[Command] = TypeAdapter(Command)


class CommandItem(Event):
    """One entry of the command log. body is the canonical JSON of a Command; hash = sha256(previous hash || body), hex."""

    seq: Seq
    body: str
    hash: str


# --- ev:<offering_id>: what the matcher tells the api ---


class OrderAccepted(Event):
    type: Literal["order.accepted"] = "order.accepted"
    cmd_seq: Seq
    order_id: str
    resting_lots: int = Field(ge=0, description="what rests in the book after this command's trades")


class OrderRejected(Event):
    type: Literal["order.rejected", "cancel.rejected", "replace.rejected"]
    cmd_seq: Seq
    order_id: str
    code: str
    number: int


class Trade(Event):
    type: Literal["trade"] = "trade"
    cmd_seq: Seq
    maker_order_id: str
    taker_order_id: str
    maker_book_order_id: Seq
    taker_book_order_id: Seq
    maker_owner: int
    taker_owner: int
    taker_side: Side
    price_ticks: int = Field(gt=0)
    quantity_lots: int = Field(gt=0)
    maker_remaining_lots: int = Field(ge=0)
    taker_remaining_lots: int = Field(ge=0)


class OrderCanceled(Event):
    type: Literal["order.canceled"] = "order.canceled"
    cmd_seq: Seq
    order_id: str
    reason: str
    canceled_lots: int = Field(gt=0)


class OrderReplaced(Event):
    type: Literal["order.replaced"] = "order.replaced"
    cmd_seq: Seq
    order_id: str
    price_ticks: int = Field(gt=0)
    remaining_lots: int = Field(ge=0)
    kept_priority: bool


class MarketStateChanged(Event):
    type: Literal["market.state_changed"] = "market.state_changed"
    cmd_seq: Seq
    state: Literal["continuous", "halted", "cancel_only"]


class ClockTicked(Event):
    type: Literal["clock.ticked"] = "clock.ticked"
    cmd_seq: Seq
    at: str


Execution = Annotated[
    OrderAccepted | OrderRejected | Trade | OrderCanceled | OrderReplaced | MarketStateChanged | ClockTicked,
    Field(discriminator="type"),
]
EXECUTION: TypeAdapter[Execution] = TypeAdapter(Execution)


class ExecutionItem(Event):
    """One entry of the execution log. body is the canonical JSON of an Execution; hash = sha256(previous hash || body), hex."""

    seq: Seq
    cmd_seq: Seq
    body: str
    hash: str


# --- chain:<chain_id>: what the chain service tells the api and kyt. A transfer is seen, then safe (where the network has that level and the transfer
# is not final at once; told for a range of blocks), then final. Until it is final it may be reverted, safe or not. ---


class TransferPayload(Event):
    token: str
    token_name: str
    from_address: str = Field(alias="from")
    to_address: str = Field(alias="to")
    amount: str = Field(pattern=r"^[0-9]+$", description="base units")


class SettlementLeg(Event):
    """One movement of a fill, of units or of cash in base units."""

    kind: Literal["delivery", "payment", "fee"]
    asset: str
    from_address: str = Field(alias="from")
    to_address: str = Field(alias="to")
    amount: str = Field(pattern=r"^[0-9]+$")


class SettlementFinalPayload(Event):
    """token, seller, buyer, units and cash_amount are those of the first delivery and the first payment; legs are all that
    moved; events written before fills had legs have none."""

    settlement_id: str
    operation_id: str
    token: str
    seller: str
    buyer: str
    units: str
    cash_amount: str
    legs: tuple[SettlementLeg, ...] = ()


class SettlementFailedPayload(Event):
    """leg: index of the leg at fault, null where it was none."""

    settlement_id: str
    operation_id: str
    reason: str
    leg: int | None = None


class BlocksSafePayload(Event):
    """Every transfer seen in these blocks, both ends included, and not reverted is safe: better than seen, not yet final. block_hash is of to_block."""

    from_block: int = Field(ge=0)
    to_block: int = Field(ge=0)
    block_hash: str


class OperationFinalPayload(Event):
    operation_id: str
    kind: str
    result: dict[str, Any]


class OperationFailedPayload(Event):
    operation_id: str
    kind: str
    error_code: str
    error_detail: str


class ChainItem(Event):
    """One entry of a chain's event stream. block fields are null for operation.* events; of blocks.safe they name the highest block."""

    seq: Seq
    event_id: str
    type: Literal[
        "transfer.seen",
        "transfer.final",
        "transfer.reverted",
        "blocks.safe",
        "settlement.final",
        "settlement.failed",
        "operation.final",
        "operation.failed",
    ]
    occurred_at: str
    correlation_id: str
    block_number: int | None = None
    block_hash: str | None = None
    tx_hash: str | None = None
    log_index: int | None = None
    payload: dict[str, Any]


# --- alerts:kyt and alerts:surveillance: what kyt tells the api ---


class AlertItem(Event):
    """One raised alert; the api holds the row."""

    seq: Seq
    alert_id: str
    kind: str
    severity: Literal["severe", "high", "medium", "low"]
    title: str


SCHEMA_MODELS: tuple[type[Event], ...] = (
    Announcement, Heartbeat, ReplayPage, CommandItem, OrderNew, OrderCancel, OrderReplace, MarketState, ClockTick,
    ExecutionItem, OrderAccepted, OrderRejected, Trade, OrderCanceled, OrderReplaced, MarketStateChanged, ClockTicked,
    ChainItem, TransferPayload, BlocksSafePayload, SettlementLeg, SettlementFinalPayload, SettlementFailedPayload, OperationFinalPayload, OperationFailedPayload, AlertItem,
)  # fmt: skip
"""Everything in the snapshot, in the order of this file."""
