"""The gate: gathers facts, asks the rules, stores the decision. Whoever is refused still leaves a stored decision behind."""

from datetime import datetime
from typing import Any

from tokenx_api.compliance import queries, rules
from tokenx_api.compliance.models import Decision, Question
from tokenx_api.db import ReadConn, WriteConn
from tokenx_common.clock import rfc3339
from tokenx_common.correlation import correlation_id
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
        "investor.country": row["country"],
        "wallet.status": row["wallet_status"],
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
