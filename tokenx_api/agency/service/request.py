"""Asking for an act, and withdrawing it while nothing is signed.

What the act takes out of a wallet is held in the ledger from the request on, and what it freezes or pauses counts here at once: the chain
follows, and if it refuses, all of it is taken back."""

from datetime import datetime

from tokenx_api.agency import queries, rules
from tokenx_api.agency.errors import ActRefused, NothingWaits
from tokenx_api.agency.models import Act, NewAct, Plan
from tokenx_api.agency.service.asking import by_books, by_gate, find_plan
from tokenx_api.agency.service.read import get
from tokenx_api.audit import service as audit
from tokenx_api.auth.models import Actor
from tokenx_api.context import AppContext
from tokenx_api.db import WriteConn
from tokenx_api.ledger import models as accounts
from tokenx_api.ledger import service as ledger
from tokenx_api.offerings import service as offerings
from tokenx_api.tokenization import service as tokenization
from tokenx_common.errors import PermissionDenied
from tokenx_common.ids import new_id


def require_power(actor: Actor, body: NewAct) -> None:
    """Raises PermissionDenied."""
    may = rules.POWERS[body.kind]
    if not may & set(actor.personas):
        raise PermissionDenied(f"needs one of: {', '.join(sorted(may))}")


async def request(conn: WriteConn, *, actor: Actor, body: NewAct, now: datetime) -> Act:
    """The act, its operation on its way to the chain service. Whoever asks counts as the first to agree, so that one other person is enough
    where the policy asks for two. The books are looked at again under the offering's lock. Raises NotFound, Invalid, ActRefused."""
    require_power(actor, body)
    await offerings.locked(conn, body.offering_id)
    plan = await find_plan(conn, kind=body.kind, offering_id=body.offering_id, items=body.items)
    if refused := await by_books(conn, plan) or await by_gate(conn, plan, now):
        raise ActRefused(refused)
    act_id = new_id("act")
    await _take_hold(conn, plan, act_id)
    kind, params = rules.operation(plan, plan.legs)
    operation_id = await tokenization.request_operation(
        conn, chain_id=plan.chain_id, kind=kind, params=params, business_ref=f"act:{act_id}"
    )
    await tokenization.agree(conn, f"operation:{operation_id}", actor=actor.user_id, reason=body.reason)
    await queries.insert(conn, act_id=act_id, kind=body.kind, offering_id=body.offering_id, items=body.items, reason=body.reason,
                         requested_by=actor.user_id, operation_id=operation_id)  # fmt: skip
    await audit.record(conn, actor=actor.user_id, action="act.requested", subject_type="act", subject_id=act_id, kind=body.kind,
                       offering_id=body.offering_id, operation_id=operation_id, reason=body.reason)  # fmt: skip
    return await get(conn, act_id)


async def _take_hold(conn: WriteConn, plan: Plan, act_id: str) -> None:
    offering_id = plan.offering.offering_id
    if plan.kind == "pause":
        await offerings.set_token_paused(conn, offering_id, paused=True)
    for leg in sorted(plan.legs, key=lambda leg: leg.holder.investor_id):
        investor_id = leg.holder.investor_id
        if plan.kind in rules.GIVES_UP:
            account = accounts.investor(investor_id, offering_id)
            await ledger.reserve(conn, ref=hold_ref(act_id, investor_id), account=account, amount=leg.units)
        elif plan.kind == "freeze_wallet":
            await queries.set_wallet_frozen(conn, offering_id=offering_id, investor_id=investor_id, frozen=True)
        elif plan.kind == "freeze_units":
            await queries.add_frozen_units(conn, offering_id=offering_id, investor_id=investor_id, units=leg.units)


def hold_ref(act_id: str, investor_id: str) -> str:
    """Under this name a holder's units are held until the chain has answered."""
    return f"{act_id}:{investor_id}"


async def withdraw(context: AppContext, *, actor: Actor, act_id: str, reason: str) -> None:
    """Ends an act nothing is signed for, because a second person says no or the first thinks again; what it held is set free when the chain
    service says that it is over. Raises NotFound, NothingWaits, DependencyUnavailable."""
    async with context.db.read() as conn:
        act = await get(conn, act_id)
        waiting = await tokenization.waiting_transaction(conn, act.operation_id)
        offering = await offerings.get(conn, act.offering_id)
    if waiting is None:
        raise NothingWaits("the act is signed, over, or has not reached the chain service yet")
    await context.chain.post(f"/v1/transactions/{waiting}/cancel?chain_id={offering.chain_id}")
    async with context.db.write() as conn:
        await audit.record(conn, actor=actor.user_id, action="act.withdrawn", subject_type="act", subject_id=act_id, reason=reason)  # fmt: skip
