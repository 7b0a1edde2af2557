"""The gate: gathers facts, asks the rules, stores the decision. Whoever is refused still leaves a stored decision behind."""

from datetime import datetime
from typing import Any

import asyncpg

from tokenx_api.audit import service as audit
from tokenx_api.auth.models import Actor
from tokenx_api.compliance import queries, rules
from tokenx_api.compliance.errors import RestrictionLifted, UnboundedLockUp
from tokenx_api.compliance.models import Decision, Question
from tokenx_api.db import ReadConn, WriteConn
from tokenx_common.clock import rfc3339
from tokenx_common.correlation import correlation_id
from tokenx_common.errors import NotFound
from tokenx_common.ids import new_id


async def decide(conn: WriteConn, question: Question, *, now: datetime) -> Decision:
    """Gather, decide, store. Never raises for a refusal: look at `.allowed`, commit, then raise ComplianceDenied(decision)."""
    facts = await gather(conn, question, now=now)
    decision = Decision(new_id("dec"), question.stage, rules.decide(question.stage, facts), facts)
    await queries.insert_decision(
        conn,
        decision,
        subject=(question.subject_type, question.subject_id),
        engine_version=rules.ENGINE_VERSION,
        correlation_id=correlation_id(),
    )
    return decision


async def preview(conn: ReadConn, question: Question, *, now: datetime) -> Decision:
    """What `decide` would say now, stored nowhere."""
    facts = await gather(conn, question, now=now)
    return Decision("", question.stage, rules.decide(question.stage, facts), facts)


async def gather(conn: ReadConn, question: Question, *, now: datetime) -> dict[str, Any]:
    """The facts, JSON values only. What is unknown is None, and the rules refuse on it."""
    row = await queries.select_facts(conn, investor_id=question.investor_id, offering_id=question.offering_id)
    expires_at: datetime | None = row["kyc_expires_at"]
    return {
        "as_of": rfc3339(now),
        "investor.id": question.investor_id,
        "investor.kyc_status": row["kyc_status"],
        "investor.kyc_expires_at": rfc3339(expires_at) if expires_at else None,
        "investor.frozen": row["frozen"],
        "investor.revoked": row["revoked"],
        "investor.country": row["country"],
        "wallet.status": row["wallet_status"],
        "wallet.frozen": row["wallet_frozen"],
        "token.paused": row["token_paused"],
        "offering.id": question.offering_id,
        "offering.status": row["offering_status"],
        "offering.market_state": row["market_state"],
        "offering.blocked_countries": row["blocked_countries"],
        "offering.collar_bps": row["collar_bps"],
        "offering.reference_price_minor": row["reference_price_minor"],
        "cash.available_minor": row["available_minor"] + question.released_minor,
        "holding.available_units": row["available_units"] + question.released_units,
        "holding.restrictions": row["restrictions"],
        "side": question.side,
        "units": question.units,
        "price_minor": question.price_minor,
        "notional_minor": question.notional_minor,
    }


def price_range(reference_minor: int, *, collar_bps: int) -> tuple[int, int]:
    """Lowest and highest price the collar rule lets through, minor units."""
    return rules.collar(reference_minor, collar_bps=collar_bps)


async def recorded_rules(conn: ReadConn) -> list[dict[str, Any]]:
    """Every version of every rule that was ever in force."""
    return [dict(row) for row in await queries.select_rules(conn)]


async def decisions(conn: ReadConn, *, subject_id: str | None, before: str | None, limit: int) -> list[dict[str, Any]]:
    """Newest first; subject_id None for everything."""
    return [
        dict(row) for row in await queries.select_decisions(conn, subject_id=subject_id, before=before, limit=limit)
    ]


async def decision(conn: ReadConn, decision_id: str) -> dict[str, Any]:
    """Raises NotFound."""
    row = await queries.select_decision(conn, decision_id)
    if row is None:
        raise NotFound("decision")
    return dict(row)


async def restrict(
    conn: WriteConn, *, actor: Actor, offering_id: str, investor_id: str | None, kind: str, units: int | None, until: datetime | None, reason: str
) -> dict[str, Any]:  # fmt: skip
    """Restrict a holding from now on; orders that already rest are not touched. Raises UnboundedLockUp, NotFound."""
    if kind == "lock_up" and until is None:
        raise UnboundedLockUp("a lock-up needs an end; use a freeze otherwise")
    restriction_id = new_id("res")
    try:
        await queries.insert_restriction(
            conn, (restriction_id, offering_id, investor_id, kind, units, until, reason, actor.user_id)
        )
    except asyncpg.ForeignKeyViolationError:
        raise NotFound("holding") from None
    await audit.record(conn, actor=actor.user_id, action="holding.restricted", subject_type="restriction", subject_id=restriction_id,
                       offering_id=offering_id, investor_id=investor_id, kind=kind)  # fmt: skip
    return await _restriction(conn, restriction_id)


async def restrictions(
    conn: ReadConn, *, offering_id: str | None, before: str | None, limit: int
) -> list[dict[str, Any]]:
    """Newest first, lifted ones included."""
    rows = await queries.select_restrictions(conn, offering_id=offering_id, before=before, limit=limit)
    return [dict(row) for row in rows]


async def lift(conn: WriteConn, *, actor: Actor, restriction_id: str) -> dict[str, Any]:
    """End a restriction. Raises NotFound, RestrictionLifted."""
    row = await _restriction(conn, restriction_id)
    if row["lifted_at"] is not None:
        raise RestrictionLifted("the restriction was lifted before")
    await queries.lift_restriction(conn, restriction_id)
    await audit.record(
        conn,
        actor=actor.user_id,
        action="holding.restriction_lifted",
        subject_type="restriction",
        subject_id=restriction_id,
    )
    return await _restriction(conn, restriction_id)


async def _restriction(conn: WriteConn, restriction_id: str) -> dict[str, Any]:
    row = await queries.select_restriction(conn, restriction_id)
    if row is None:
        raise NotFound("restriction")
    return dict(row)
