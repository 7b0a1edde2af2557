"""What agents of a token do with other people's units: acts of one kind on one offering, on one wallet or on many at once."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from tokenx_api.offerings.models import Offering
from tokenx_api.wallets.models import Wallet
from tokenx_common.wire import Page, UnitsString, WireModel

ActKind = Literal[
    "mint", "burn", "transfer", "force_transfer", "freeze_wallet", "unfreeze_wallet", "freeze_units", "unfreeze_units", "pause", "unpause",
]  # fmt: skip
ActStatus = Literal["requested", "final", "failed"]
Side = Literal["sender", "receiver", "token", "rule"]
MAX_ITEMS = 50
Reason = Annotated[str, Field(min_length=3, max_length=500)]
Id = Annotated[str, Field(min_length=1, max_length=64)]


class ActItem(WireModel):
    """One wallet. investor_id: who receives a mint, and whose wallet anything else is about. to_investor_id: for transfers. units: not for
    freezing a wallet."""

    investor_id: Id
    to_investor_id: Id | None = None
    units: UnitsString | None = None


class NewAct(WireModel):
    """items: none for pause and unpause. Several are one transaction: all of them or none."""

    offering_id: Id
    kind: ActKind
    items: Annotated[tuple[ActItem, ...], Field(max_length=MAX_ITEMS)] = ()
    reason: Reason


class Trial(WireModel):
    """As a NewAct, only asked about."""

    offering_id: Id
    kind: ActKind
    items: Annotated[tuple[ActItem, ...], Field(max_length=MAX_ITEMS)] = ()


class ItemAnswer(WireModel):
    """What stands against one item, all null when nothing does. side: whose it is; rule: what says so, by name."""

    index: int
    ok: bool
    code: str | None = None
    side: Side | None = None
    rule: str | None = None
    detail: str | None = None


class TrialAnswer(WireModel):
    """ok: nothing stands against any item, nor against all of them together."""

    ok: bool
    items: list[ItemAnswer]


class Agreement(WireModel):
    reason: Reason


class ActView(WireModel):
    """waits_for_approval: a second person has to agree to operation_id before anything is signed."""

    act_id: str
    offering_id: str
    kind: ActKind
    items: list[ActItem]
    reason: str
    status: ActStatus
    requested_by: str
    operation_id: str
    approvals: int
    waits_for_approval: bool
    error_code: str | None
    error_detail: str | None
    created_at: datetime
    updated_at: datetime


class ActPage(Page[ActView]):
    """One page of acts, newest first."""


@dataclass(frozen=True)
class Party:
    """An investor as an act meets it. wallet None: there is none on this chain."""

    investor_id: str
    frozen: bool
    revoked: bool
    wallet: Wallet | None


@dataclass(frozen=True)
class Leg:
    """One item with everybody it names. receiver None: there is none. units 0: the act is not about units."""

    index: int
    holder: Party
    receiver: Party | None
    units: int


@dataclass(frozen=True)
class Plan:
    """An act that may be asked for; the offering is deployed."""

    kind: ActKind
    offering: Offering
    chain_id: int
    token: str
    legs: tuple[Leg, ...]


@dataclass(frozen=True)
class Position:
    """What the books here know of a holding. reserved: held for open orders, redemptions and other acts."""

    balance: int
    reserved: int
    wallet_frozen: bool
    frozen_units: int


@dataclass(frozen=True)
class Act:
    """A stored act."""

    act_id: str
    offering_id: str
    kind: ActKind
    items: tuple[ActItem, ...]
    reason: str
    status: ActStatus
    requested_by: str
    operation_id: str
    approvals: int
    waits_for_approval: bool
    error_code: str | None
    error_detail: str | None
    created_at: datetime
    updated_at: datetime
