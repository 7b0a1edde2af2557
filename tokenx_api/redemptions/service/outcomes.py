"""What the chain says: the units are gone, the cash has moved, or neither."""

from typing import Any

from tokenx_api.db import WriteConn
from tokenx_api.ledger import models as accounts
from tokenx_api.ledger import service as ledger
from tokenx_api.ledger.models import Posting
from tokenx_api.redemptions import queries
from tokenx_api.redemptions.models import Redemption
from tokenx_api.redemptions.service.gate import CHAIN, locked, record, ring
from tokenx_api.redemptions.service.steps import payout_ref


async def on_operation_final(
    conn: WriteConn, redemption_id: str, step: str, operation_id: str, _result: dict[str, Any]
) -> None:
    """Book the step and wake the workflow. Doing it twice changes nothing."""
    redemption = await locked(conn, redemption_id)
    if step == "burn" and redemption.status == "burning" and redemption.operation_id == operation_id:
        await _burned(conn, redemption)
    elif step == "payout" and redemption.status == "burned" and redemption.payout_operation_id == operation_id:
        await _paid(conn, redemption)


async def _burned(conn: WriteConn, redemption: Redemption) -> None:
    """Entry 'redeem': the investor's units go back to the issuance account they came from."""
    await ledger.release(conn, ref=redemption.redemption_id)
    postings = [
        Posting(accounts.investor(redemption.investor_id, redemption.offering_id), -redemption.units),
        Posting(accounts.issuance(redemption.offering_id), redemption.units),
    ]
    await ledger.post(conn, kind="redeem", ref=redemption.redemption_id, postings=postings)
    await queries.move(conn, redemption.redemption_id, before=("burning",), after="burned")
    await _tell(conn, redemption, action="redemption.burned", operation_id=redemption.operation_id)


async def _paid(conn: WriteConn, redemption: Redemption) -> None:
    """Entry 'payout': the cash comes from the issuer when its cash was held for it, else from the bank."""
    from_issuer = await ledger.release(conn, ref=payout_ref(redemption)) > 0
    currency = redemption.currency
    source = accounts.issuer(redemption.issuer_id, currency) if from_issuer else accounts.bank(currency)
    postings = [
        Posting(source, -redemption.amount_minor),
        Posting(accounts.investor(redemption.investor_id, currency), redemption.amount_minor),
    ]
    await ledger.post(conn, kind="payout", ref=redemption.redemption_id, postings=postings)
    await queries.move(conn, redemption.redemption_id, before=("burned",), after="paid")
    await _tell(conn, redemption, action="redemption.paid", operation_id=redemption.payout_operation_id)


async def on_operation_failed(
    conn: WriteConn, redemption_id: str, step: str, operation_id: str, error_code: str, error_detail: str
) -> None:
    """A burn that failed frees the units. A payout that failed leaves them burned: never minted again by itself, the workflow tries the
    payout again and in the end a human looks."""
    redemption = await locked(conn, redemption_id)
    reason = f"{error_code}: {error_detail}"[:500]
    if step == "burn" and redemption.status == "burning" and redemption.operation_id == operation_id:
        await queries.move(conn, redemption_id, before=("burning",), after="failed", reason=reason)
        await ledger.release(conn, ref=redemption_id)
        await _tell(conn, redemption, action="redemption.burn_failed", operation_id=operation_id, reason=reason)
    elif step == "payout" and redemption.status == "burned" and redemption.payout_operation_id == operation_id:
        await queries.set_payout(conn, redemption_id, operation_id=None, reason=reason)
        await _tell(conn, redemption, action="redemption.payout_failed", operation_id=operation_id, reason=reason)


async def _tell(conn: WriteConn, redemption: Redemption, *, action: str, **detail: Any) -> None:
    await record(conn, redemption.redemption_id, actor=CHAIN, action=action, **detail)
    await ring(conn, redemption, signal="chain_event", event_id=f"{action}:{detail['operation_id']}")
