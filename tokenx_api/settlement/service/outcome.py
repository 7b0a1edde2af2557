"""What happens to a settlement when the chain has spoken. Every function may be called again with the same news: the effect happens once."""

from datetime import datetime, timedelta
from typing import Any, Final, Literal

from tokenx_api.audit import service as audit
from tokenx_api.db import WriteConn
from tokenx_api.ledger import models as accounts
from tokenx_api.ledger import service as ledger
from tokenx_api.ledger.models import Posting
from tokenx_api.settlement import queries
from tokenx_api.settlement.models import Legs
from tokenx_common.clock import utc_now
from tokenx_common.log import get_logger

log = get_logger(__name__)

MAX_ATTEMPTS: Final = 3
RETRY_AFTER: Final = timedelta(seconds=5)
"""After the first failure; twice as long after the second."""
ACTOR: Final = "service:chain"


async def on_settlement_final(conn: WriteConn, payload: dict[str, Any], tx_hash: str | None) -> None:
    """The exchange is final on chain: clearing gives the cash to the seller and the units to the buyer. payload: settlement.final."""
    legs = await queries.lock_legs(conn, str(payload["settlement_id"]))
    if legs is None or legs.status == "settled":
        return
    if legs.status == "failed":  # the chain had said that every attempt had failed
        log.error("settlement.final_after_unwind", settlement_id=legs.settlement_id, tx_hash=tx_hash)
        return
    await _post(conn, legs, "settle", cash_to=legs.seller_id, units_to=legs.buyer_id)
    await queries.set_settled(conn, legs.settlement_id, tx_hash)
    await _record(conn, legs, "settlement.settled", tx_hash=tx_hash)


async def on_settlement_failed(conn: WriteConn, payload: dict[str, Any]) -> None:
    """The contract refused this fill; the others of its batch may have settled. payload: settlement.failed."""
    await _failed(conn, str(payload["settlement_id"]), str(payload["operation_id"]), str(payload.get("reason", "")))


async def on_operation_final(conn: WriteConn, _batch_id: str, operation_id: str, result: dict[str, Any]) -> None:
    """The batch is through. Whoever got no event of its own gets its outcome from the result."""
    settled = {str(item) for item in result.get("settled", ())}
    reasons = {str(item["settlement_id"]): str(item.get("reason", "")) for item in result.get("failed", ())}
    for settlement_id in await queries.select_instructed(conn, operation_id):
        if settlement_id in settled:
            await on_settlement_final(conn, {"settlement_id": settlement_id}, result.get("tx_hash"))
        else:
            await _failed(conn, settlement_id, operation_id, reasons.get(settlement_id, "not in the batch's result"))


async def on_operation_failed(conn: WriteConn, _batch_id: str, operation_id: str, error_code: str, error_detail: str) -> None:  # fmt: skip
    """The whole batch failed: each of its settlements has used up one attempt."""
    for settlement_id in await queries.select_instructed(conn, operation_id):
        await _failed(conn, settlement_id, operation_id, f"{error_code}: {error_detail}")


async def _failed(conn: WriteConn, settlement_id: str, operation_id: str, reason: str) -> None:
    legs = await queries.lock_legs(conn, settlement_id)
    if legs is None or legs.status != "instructed" or legs.operation_id != operation_id:
        return  # old news: this attempt was counted, and another may be under way
    await attempt_failed(conn, legs, reason=reason, now=utc_now(), operation_id=operation_id)


async def attempt_failed(conn: WriteConn, legs: Legs, *, reason: str, now: datetime, operation_id: str | None) -> None:
    """Count the attempt. After the last one the trade is unwound: units back to the seller, cash back to the buyer. legs must be locked."""
    attempts = legs.attempts + 1
    if attempts < MAX_ATTEMPTS:
        await queries.set_retry(conn, legs.settlement_id, attempts=attempts, reason=reason[:500], at=now + RETRY_AFTER * 2 ** (attempts - 1))  # fmt: skip
        await _record(conn, legs, "settlement.attempt_failed", reason=reason[:500], attempts=attempts, operation_id=operation_id)  # fmt: skip
        return
    await _post(conn, legs, "unwind", cash_to=legs.buyer_id, units_to=legs.seller_id)
    await queries.set_failed(conn, legs.settlement_id, attempts=attempts, reason=reason[:500])
    await _record(conn, legs, "settlement.unwound", reason=reason[:500], attempts=attempts, operation_id=operation_id)


async def _post(conn: WriteConn, legs: Legs, kind: Literal["settle", "unwind"], *, cash_to: str, units_to: str) -> None:
    cash, units = legs.currency, legs.offering_id
    await ledger.post(
        conn,
        kind=kind,
        ref=legs.settlement_id,
        postings=[
            Posting(accounts.clearing(legs.offering_id, cash), -legs.amount_minor),
            Posting(accounts.investor(cash_to, cash), legs.amount_minor),
            Posting(accounts.clearing(legs.offering_id, units), -legs.units),
            Posting(accounts.investor(units_to, units), legs.units),
        ],
    )


async def _record(conn: WriteConn, legs: Legs, action: str, **detail: Any) -> None:
    await audit.record(conn, actor=ACTOR, action=action, subject_type="settlement", subject_id=legs.settlement_id, **detail)  # fmt: skip
