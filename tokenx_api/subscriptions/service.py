"""Primary subscriptions: awaiting_funds -> funded -> accepted -> issued, or rejected. While funded the cash is held in the ledger;
the books move when the issue is final on chain."""

from datetime import datetime
from typing import Any

from tokenx_api.audit import service as audit
from tokenx_api.auth.models import Actor
from tokenx_api.compliance import service as compliance
from tokenx_api.compliance.models import Decision, Question
from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.investors import service as investors
from tokenx_api.ledger import models as accounts
from tokenx_api.ledger import service as ledger
from tokenx_api.ledger.errors import InsufficientBalance
from tokenx_api.ledger.models import Posting
from tokenx_api.offerings import service as offerings
from tokenx_api.offerings.models import Offering
from tokenx_api.subscriptions import queries
from tokenx_api.subscriptions.errors import OfferingFull, WrongStatus
from tokenx_api.subscriptions.models import Subscription
from tokenx_api.subscriptions.queries import Scope
from tokenx_api.tokenization import service as tokenization
from tokenx_api.wallets import service as wallets
from tokenx_api.wallets.models import issuer_key
from tokenx_common.errors import Invalid, NotFound
from tokenx_common.ids import new_id
from tokenx_common.money import MAX_INT64, STABLECOIN_UNITS_PER_CENT


async def subscribe(
    conn: WriteConn, *, actor: Actor, investor_id: str, offering_id: str, units: int, now: datetime
) -> Subscription | Decision:
    """The subscription, funded if the investor's cash covers it; or the gate's refusal, to be raised after the commit.
    Raises NotFound, Invalid, OfferingFull."""
    offering = await offerings.visible(conn, actor, offering_id)
    amount_minor = units * offering.terms.unit_price_minor
    if amount_minor > MAX_INT64:
        error = {"pointer": "/units", "code": "out_of_range", "message": "the amount is too large"}
        raise Invalid("/units: the amount is too large", errors=[error])
    subscription_id = new_id("sub")
    decision = await _decide(
        conn, subscription_id, investor_id, offering, units=units, amount_minor=amount_minor, now=now
    )
    if not decision.allowed:
        return decision
    await _check_supply(conn, offering, units)
    await queries.insert(conn, subscription_id=subscription_id, offering_id=offering_id, investor_id=investor_id,
                         units=units, amount_minor=amount_minor, decision_id=decision.decision_id)  # fmt: skip
    await _audit(conn, actor.user_id, "subscription.requested", subscription_id, decision_id=decision.decision_id)
    await _fund(conn, await get(conn, subscription_id), actor=actor.user_id)
    return await get(conn, subscription_id)


async def get(conn: ReadConn, subscription_id: str) -> Subscription:
    """Raises NotFound."""
    found = await queries.select(conn, subscription_id)
    if found is None:
        raise NotFound("subscription")
    return found


async def page(
    conn: ReadConn, *, actor: Actor, offering_id: str | None, before: str | None, limit: int
) -> list[Subscription]:
    """The actor's own, those of its offerings, or everybody's for staff; newest first."""
    scope = Scope(everybody=actor.is_staff, investor_id=actor.investor_id, issuer_id=actor.issuer_id)
    return await queries.select_page(conn, scope=scope, offering_id=offering_id, before=before, limit=limit)


async def accept(conn: WriteConn, *, actor: Actor, subscription_id: str, now: datetime) -> Subscription | Decision:
    """Accepted and on its way to the chain; or the gate's refusal, asked again because time has passed. Raises NotFound, WrongStatus."""
    subscription = await _own_locked(conn, actor, subscription_id)
    if subscription.status != "funded":
        raise WrongStatus(f"only a funded subscription can be accepted; this one is {subscription.status}")
    offering = await offerings.get(conn, subscription.offering_id)
    decision = await _decide(conn, subscription_id, subscription.investor_id, offering, units=subscription.units,
                             amount_minor=subscription.amount_minor, now=now)  # fmt: skip
    if not decision.allowed:
        return decision
    await queries.move(conn, subscription_id, before=("funded",), after="accepted")
    await _audit(conn, actor.user_id, "subscription.accepted", subscription_id, decision_id=decision.decision_id)
    await issue_when_cash_is_there(conn, subscription_id)
    return await get(conn, subscription_id)


async def reject(conn: WriteConn, *, actor: Actor, subscription_id: str) -> Subscription:
    """Rejected, the held cash free again. Raises NotFound, WrongStatus."""
    subscription = await _own_locked(conn, actor, subscription_id)
    if not await queries.move(conn, subscription_id, before=("awaiting_funds", "funded"), after="rejected"):
        raise WrongStatus(f"the subscription is {subscription.status}")
    await ledger.release(conn, ref=subscription_id)
    await _audit(conn, actor.user_id, "subscription.rejected", subscription_id)
    return await get(conn, subscription_id)


async def fund(conn: WriteConn, subscription_id: str) -> bool:
    """Hold the cash of a waiting subscription; False when it is not there or nothing waits."""
    subscription = await queries.select_locked(conn, subscription_id)
    if subscription is None or subscription.status != "awaiting_funds":
        return False
    return await _fund(conn, subscription, actor="service:api")


async def issue_when_cash_is_there(conn: WriteConn, subscription_id: str) -> bool:
    """Send an accepted subscription to the chain, once; False while the investor's deposit is still on its way there: the payment leg
    would revert."""
    subscription = await queries.select_locked(conn, subscription_id)
    if subscription is None or subscription.status != "accepted" or subscription.operation_id is not None:
        return False
    if await queries.cash_is_coming(conn, subscription.investor_id):
        return False
    if not (await investors.get(conn, subscription.investor_id)).may_act:
        return False  # frozen or revoked since it was accepted: it waits until that is over
    operation_id = await _request_issue(conn, subscription)
    return await queries.move(conn, subscription_id, before=("accepted",), after="accepted", operation_id=operation_id)


async def on_operation_final(conn: WriteConn, subscription_id: str, operation_id: str, result: dict[str, Any]) -> None:
    """The units exist and the cash has changed hands: book both. Doing it twice changes nothing."""
    row = await queries.select_locked(conn, subscription_id)
    if row is None or row.status != "accepted" or row.operation_id != operation_id:
        return
    await ledger.release(conn, ref=subscription_id)
    await ledger.post(
        conn,
        kind="issue",
        ref=subscription_id,
        postings=[
            Posting(accounts.issuance(row.offering_id), -row.units),
            Posting(accounts.investor(row.investor_id, row.offering_id), row.units),
            Posting(accounts.investor(row.investor_id, row.currency), -row.amount_minor),
            Posting(accounts.issuer(row.issuer_id, row.currency), row.amount_minor),
        ],
    )
    await queries.move(conn, subscription_id, before=("accepted",), after="issued", operation_id=operation_id)
    await _audit(conn, "service:chain", "subscription.issued", subscription_id, operation_id=operation_id)


async def on_operation_failed(
    conn: WriteConn, subscription_id: str, operation_id: str, error_code: str, error_detail: str
) -> None:
    """Back to funded, the cash still held: the issuer may accept again or reject."""
    row = await queries.select_locked(conn, subscription_id)
    if row is None or row.status != "accepted" or row.operation_id != operation_id:
        return
    reason = f"{error_code}: {error_detail}"[:500]
    await queries.move(conn, subscription_id, before=("accepted",), after="funded", reason=reason)
    await _audit(conn, "service:chain", "subscription.issue_failed", subscription_id, operation_id=operation_id,
                 error_code=error_code, error_detail=error_detail)  # fmt: skip


async def _decide(
    conn: WriteConn,
    subscription_id: str,
    investor_id: str,
    offering: Offering,
    *,
    units: int,
    amount_minor: int,
    now: datetime,
) -> Decision:
    question = Question(
        stage="subscription",
        subject_type="subscription",
        subject_id=subscription_id,
        investor_id=investor_id,
        offering_id=offering.offering_id,
        side="buy",
        units=units,
        notional_minor=amount_minor,
    )
    return await compliance.decide(conn, question, now=now)


async def _check_supply(conn: WriteConn, offering: Offering, units: int) -> None:
    """Under the offering's row lock, so that two subscriptions cannot both take the last units. Raises OfferingFull."""
    await offerings.locked(conn, offering.offering_id)
    left = offering.terms.max_units - await queries.select_taken(conn, offering.offering_id)
    if units > left:
        raise OfferingFull(f"only {left} units are left", left_units=str(left))


async def _fund(conn: WriteConn, subscription: Subscription, *, actor: str) -> bool:
    account = accounts.investor(subscription.investor_id, subscription.currency)
    try:
        await ledger.reserve(conn, ref=subscription.subscription_id, account=account, amount=subscription.amount_minor)
    except InsufficientBalance:
        return False
    await queries.move(conn, subscription.subscription_id, before=("awaiting_funds",), after="funded")
    await _audit(conn, actor, "subscription.funded", subscription.subscription_id)
    return True


async def _request_issue(conn: WriteConn, subscription: Subscription) -> str:
    offering = await offerings.get(conn, subscription.offering_id)
    assert offering.chain_id is not None, "an open offering is deployed"
    key_ref = await wallets.investor_key_ref(conn, subscription.investor_id, offering.chain_id)
    params = {
        "subscription_id": subscription.subscription_id,
        "token": offering.token_address,
        "to_key_ref": key_ref,
        "units": subscription.units,
        "cash_from_key_ref": key_ref,
        "cash_to_key_ref": issuer_key(offering.issuer_id),
        "cash_amount": subscription.amount_minor * STABLECOIN_UNITS_PER_CENT,
    }
    return await tokenization.request_operation(
        conn,
        chain_id=offering.chain_id,
        kind="subscription.issue",
        params=params,
        business_ref=f"subscription:{subscription.subscription_id}",
    )


async def _own_locked(conn: WriteConn, actor: Actor, subscription_id: str) -> Subscription:
    subscription = await queries.select_locked(conn, subscription_id)
    if subscription is None or subscription.issuer_id != actor.issuer_id:
        raise NotFound("subscription")
    return subscription


async def _audit(conn: WriteConn, actor: str, action: str, subscription_id: str, **detail: Any) -> None:
    await audit.record(conn, actor=actor, action=action, subject_type="subscription", subject_id=subscription_id,
                       **detail)  # fmt: skip
