"""Accepting an order: gate, reservation, order row, numbered command and audit row in one transaction."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from tokenx_api.audit import service as audit
from tokenx_api.auth.models import Actor
from tokenx_api.compliance import service as compliance
from tokenx_api.compliance.models import Decision, Question
from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.ledger import models as accounts
from tokenx_api.ledger import service as ledger
from tokenx_api.orders import queries, rules
from tokenx_api.orders.errors import ClientOrderIdReused, MarketMissing, OrderNotFound, ProfileRequired
from tokenx_api.orders.models import Order, PlaceOrder, Sequenced, Side, Size, Terms
from tokenx_api.orders.queries import Entry
from tokenx_api.orders.service.sequence import around_own_number, sequenced
from tokenx_common.canonical import canonical_json
from tokenx_common.correlation import correlation_id
from tokenx_common.errors import NotFound
from tokenx_common.events import OrderNew
from tokenx_common.ids import new_id
from tokenx_common.money import notional_minor


@dataclass(frozen=True)
class Placed:
    """The order is stored and numbered; announce the command after the commit."""

    order: Order
    command: Sequenced


@dataclass(frozen=True)
class Repeated:
    """This very order was placed before; nothing was stored now."""

    order: Order


@dataclass(frozen=True)
class Refused:
    """The gate said no: the decision and an audit row are stored, and nothing else."""

    decision: Decision


@dataclass(frozen=True)
class Preview:
    """What the gate would say. price_minor: limit or protection price."""

    decision: Decision
    price_minor: int
    notional_minor: int


async def place(conn: WriteConn, *, actor: Actor, request: PlaceOrder, now: datetime) -> Placed | Repeated | Refused:
    """Accept, find again, or refuse. Commit in each of the three cases, then raise ComplianceDenied for a refusal.

    Raises NotFound, InvalidOrder, ClientOrderIdReused, MarketMissing; and, when somebody was quicker, InsufficientBalance or
    asyncpg.UniqueViolationError: roll back and call again, the facts have changed."""
    investor_id = investor_of(actor)
    entry = await _entry(conn, request, investor_id)
    digest = hashlib.sha256(canonical_json(request.model_dump()).encode()).digest()
    if entry.existing_id is not None:
        return await _repeated(conn, entry.existing_id, same=entry.existing_sha256 == digest)
    size = _size(request, entry.terms)
    order_id = new_id("ord")
    decision = await compliance.decide(conn, _question(request, entry.terms, size, investor_id=investor_id, order_id=order_id), now=now)  # fmt: skip
    if not decision.allowed:
        await _record_refusal(conn, actor, order_id, decision)
        return Refused(decision)
    await reserve(conn, order_id=order_id, investor_id=investor_id, side=request.side, terms=entry.terms, size=size)
    return await _store(conn, actor, request, entry, size, order_id=order_id, investor_id=investor_id, digest=digest, decision_id=decision.decision_id)  # fmt: skip


async def preview(conn: ReadConn, *, actor: Actor, request: PlaceOrder, now: datetime) -> Preview:
    """What `place` would decide, storing nothing. Raises NotFound, InvalidOrder."""
    investor_id = investor_of(actor)
    terms = (await _entry(conn, request, investor_id)).terms
    size = _size(request, terms)
    question = _question(request, terms, size, investor_id=investor_id, order_id="preview")
    decision = await compliance.preview(conn, question, now=now)
    return Preview(decision, size.price_ticks * terms.tick_size_minor, _notional(terms, size))


def investor_of(actor: Actor) -> str:
    """The actor's investor profile. Raises ProfileRequired."""
    if actor.investor_id is None:
        raise ProfileRequired("create an investor profile first")
    return actor.investor_id


async def reserve(conn: WriteConn, *, order_id: str, investor_id: str, side: Side, terms: Terms, size: Size) -> None:
    """Hold the value of a buy or the units of a sell. Raises InsufficientBalance."""
    account = accounts.investor(investor_id, terms.currency if side == "buy" else terms.offering_id)
    amount = terms.held(side, price_ticks=size.price_ticks, lots=size.quantity_lots)
    await ledger.reserve(conn, ref=order_id, account=account, amount=amount)


async def _entry(conn: ReadConn, request: PlaceOrder, investor_id: str) -> Entry:
    entry = await queries.select_entry(conn, offering_id=request.offering_id, investor_id=investor_id, client_order_id=request.client_order_id)  # fmt: skip
    if entry is None:
        raise NotFound("offering")
    return entry


async def _repeated(conn: ReadConn, order_id: str, *, same: bool) -> Repeated:
    if not same:
        raise ClientOrderIdReused("another order has this client_order_id and a different body", order_id=order_id)
    order = await queries.select_order(conn, order_id, investor_id=None)
    if order is None:
        raise OrderNotFound
    return Repeated(order)


def _size(request: PlaceOrder, terms: Terms) -> Size:
    collar = compliance.price_range(terms.reference_minor, collar_bps=terms.collar_bps)
    return rules.size(request, terms, collar=collar)


def _notional(terms: Terms, size: Size) -> int:
    return notional_minor(price_ticks=size.price_ticks, quantity_lots=size.quantity_lots, tick_size_minor=terms.tick_size_minor,
                          lot_size_units=terms.lot_size_units)  # fmt: skip


def _question(request: PlaceOrder, terms: Terms, size: Size, *, investor_id: str, order_id: str) -> Question:
    return Question(
        stage="pre_trade",
        subject_type="order",
        subject_id=order_id,
        investor_id=investor_id,
        offering_id=terms.offering_id,
        side=request.side,
        units=size.quantity_lots * terms.lot_size_units,
        price_minor=size.price_ticks * terms.tick_size_minor,
        notional_minor=_notional(terms, size),
    )


async def _record_refusal(conn: WriteConn, actor: Actor, order_id: str, decision: Decision) -> None:
    codes = [reason["code"] for reason in decision.reasons]
    await audit.record(conn, actor=actor.user_id, action="order.refused", subject_type="order", subject_id=order_id,
                       decision_id=decision.decision_id, reason_codes=codes)  # fmt: skip


async def _store(conn: WriteConn, actor: Actor, request: PlaceOrder, entry: Entry, size: Size, *, order_id: str, investor_id: str, digest: bytes, decision_id: str) -> Placed:  # fmt: skip
    command = OrderNew(
        order_id=order_id,
        book_order_id=1,  # its place in the log, which the database knows
        owner=entry.owner_group,
        side=request.side,
        tif="gtc" if request.time_in_force == "day" else request.time_in_force,
        price_ticks=size.price_ticks,
        quantity_lots=size.quantity_lots,
        post_only=request.post_only,
    )
    stored = await queries.insert_order(
        conn, order_id=order_id, investor_id=investor_id, request=request, size=size, body_sha256=digest, decision_id=decision_id,
        body=around_own_number(command), correlation_id=correlation_id(), actor=actor.user_id,
    )  # fmt: skip
    if stored is None:
        raise MarketMissing("trading of this offering was never started")
    item, created_at = stored
    order = Order(
        order_id=order_id, offering_id=request.offering_id, investor_id=investor_id, client_order_id=request.client_order_id,
        body_sha256=digest, book_order_id=item["seq"], owner_group=entry.owner_group, side=request.side, type=request.type,
        time_in_force=request.time_in_force, post_only=request.post_only, quantity_lots=size.quantity_lots, price_ticks=size.price_ticks,
        filled_lots=0, remaining_lots=size.quantity_lots, filled_notional_minor=0, status="pending_new", status_reason="",
        decision_id=decision_id, revision=1, created_at=created_at, updated_at=created_at, closed_at=None, symbol=entry.terms.symbol,
        tick_size_minor=entry.terms.tick_size_minor, lot_size_units=entry.terms.lot_size_units,
    )  # fmt: skip
    return Placed(order, sequenced(request.offering_id, item))
