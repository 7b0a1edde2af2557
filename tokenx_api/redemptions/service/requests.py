"""What people do: ask for a redemption, decide about it, read its statement."""

from datetime import datetime

from tokenx_api.auth.models import Actor
from tokenx_api.compliance.models import Decision
from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.investors import service as investors
from tokenx_api.ledger import models as accounts
from tokenx_api.ledger import service as ledger
from tokenx_api.offerings import service as offerings
from tokenx_api.offerings.models import Offering
from tokenx_api.outbox import service as outbox
from tokenx_api.paging import cut, decode_cursor
from tokenx_api.redemptions import queries
from tokenx_api.redemptions.errors import NoStatement, NotRedeemable, OwnAccount, WrongStatus
from tokenx_api.redemptions.models import (
    WORKFLOW,
    NewRedemption,
    Redemption,
    RedemptionPage,
    Statement,
    Status,
    redemption_view,
)
from tokenx_api.redemptions.service.gate import UNDECIDED, decide, load, locked, record, ring
from tokenx_common.correlation import correlation_id
from tokenx_common.errors import Invalid, NotFound
from tokenx_common.ids import new_id
from tokenx_common.money import MAX_INT64, parse_units


async def request(conn: WriteConn, *, actor: Actor, body: NewRedemption, now: datetime) -> Redemption | Decision:
    """A requested redemption with its units held and its workflow on the way; or the gate's refusal, to be raised after the commit.
    The price is the offering's unit price at this moment. Raises NotFound, NotRedeemable, Invalid, InsufficientBalance."""
    investor_id, units, redemption_id = investors.own_id(actor), parse_units(body.units), new_id("red")
    offering = await offerings.visible(conn, actor, body.offering_id)
    amount_minor = _amount(offering, units)
    decision = await decide(
        conn,
        redemption_id=redemption_id,
        investor_id=investor_id,
        offering_id=offering.offering_id,
        units=units,
        reserved_units=0,
        now=now,
    )
    if not decision.allowed:
        return decision
    workflow_id = f"redemption:{redemption_id}"
    await queries.insert(conn, redemption_id=redemption_id, offering_id=offering.offering_id, investor_id=investor_id, units=units,
                         amount_minor=amount_minor, workflow_id=workflow_id, decision_id=decision.decision_id)  # fmt: skip
    account = accounts.investor(investor_id, offering.offering_id)
    await ledger.reserve(conn, ref=redemption_id, account=account, amount=units)
    await record(conn, redemption_id, actor=actor.user_id, action="redemption.requested", decision_id=decision.decision_id)  # fmt: skip
    argument = {"redemption_id": redemption_id, "correlation_id": correlation_id()}
    await outbox.start_workflow(conn, workflow=WORKFLOW, workflow_id=workflow_id, argument=argument)
    return await load(conn, redemption_id)


def _amount(offering: Offering, units: int) -> int:
    if offering.token_address is None:
        raise NotRedeemable(f"{offering.terms.symbol} is not deployed on chain")
    amount_minor = units * offering.terms.unit_price_minor
    if amount_minor > MAX_INT64:
        error = {"pointer": "/units", "code": "out_of_range", "message": "the amount is too large"}
        raise Invalid("/units: the amount is too large", errors=[error])
    return amount_minor


async def approve(conn: WriteConn, *, actor: Actor, redemption_id: str, reason: str) -> Redemption:
    """Approved by somebody else than the holder; the workflow burns. Raises NotFound, OwnAccount, WrongStatus."""
    redemption = await _undecided(conn, actor, redemption_id)
    await queries.move(
        conn, redemption_id, before=UNDECIDED, after="approved", reason=reason, approver_id=actor.user_id
    )
    await record(conn, redemption_id, actor=actor.user_id, action="redemption.approved", reason=reason)
    await ring(conn, redemption, signal="decided", event_id="approved")
    return await load(conn, redemption_id)


async def reject(conn: WriteConn, *, actor: Actor, redemption_id: str, reason: str) -> Redemption:
    """Rejected, the units free again. Raises NotFound, OwnAccount, WrongStatus."""
    redemption = await _undecided(conn, actor, redemption_id)
    await queries.move(
        conn, redemption_id, before=UNDECIDED, after="rejected", reason=reason, approver_id=actor.user_id
    )
    await ledger.release(conn, ref=redemption_id)
    await record(conn, redemption_id, actor=actor.user_id, action="redemption.rejected", reason=reason)
    await ring(conn, redemption, signal="decided", event_id="rejected")
    return await load(conn, redemption_id)


async def _undecided(conn: WriteConn, actor: Actor, redemption_id: str) -> Redemption:
    redemption = await locked(conn, redemption_id)
    if actor.user_id == redemption.investor_user_id:
        raise OwnAccount("somebody else must decide about your own redemption")
    if redemption.status not in UNDECIDED:
        raise WrongStatus(f"the redemption is {redemption.status}", status_now=redemption.status)
    return redemption


async def visible(conn: ReadConn, *, actor: Actor, redemption_id: str) -> Redemption:
    """One's own, or any for staff. Raises NotFound."""
    redemption = await load(conn, redemption_id)
    if not (actor.is_staff or actor.investor_id == redemption.investor_id):
        raise NotFound("redemption")
    return redemption


async def page(
    conn: ReadConn, *, actor: Actor, status: Status | None, cursor: str | None, limit: int
) -> RedemptionPage:
    """One's own, or all for staff; newest first."""
    if not actor.is_staff and actor.investor_id is None:
        return RedemptionPage(data=[])
    owner = None if actor.is_staff else actor.investor_id
    found = await queries.select_page(
        conn, investor_id=owner, status=status, before=decode_cursor(cursor), limit=limit + 1
    )
    rows, next_cursor = cut(found, limit, lambda row: row.redemption_id)
    return RedemptionPage(data=[redemption_view(row) for row in rows], next_cursor=next_cursor)


async def statement(conn: ReadConn, *, actor: Actor, redemption_id: str) -> Statement:
    """Raises NotFound, NoStatement before the redemption is closed."""
    redemption = await visible(conn, actor=actor, redemption_id=redemption_id)
    if redemption.statement is None:
        raise NoStatement(f"the redemption is {redemption.status}; there is a statement once it is closed")
    return Statement.model_validate(redemption.statement)
