"""What the workflow does, one step a call. A step that finds its work done, or overtaken, only says where things stand."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Final

from tokenx_api.compliance.models import Decision
from tokenx_api.db import WriteConn
from tokenx_api.ledger import models as accounts
from tokenx_api.ledger import service as ledger
from tokenx_api.ledger.errors import InsufficientBalance
from tokenx_api.offerings import service as offerings
from tokenx_api.payments import service as payments
from tokenx_api.redemptions import queries
from tokenx_api.redemptions.models import Redemption, Statement, Step
from tokenx_api.redemptions.service.gate import UNDECIDED, WORKER, decide, load, locked, record
from tokenx_api.settings import ApiSettings
from tokenx_api.tokenization import service as tokenization
from tokenx_api.wallets import service as wallets
from tokenx_common.clock import rfc3339
from tokenx_common.money import STABLECOIN_UNITS_PER_CENT, format_amount

get = load


async def take_step(
    conn: WriteConn, *, redemption_id: str, step: Step, settings: ApiSettings, now: datetime
) -> Redemption:
    """The redemption after the step. Raises NotFound."""
    redemption = await locked(conn, redemption_id)
    await _STEPS[step](conn, redemption, settings, now)
    return await load(conn, redemption_id)


async def _open(conn: WriteConn, redemption: Redemption, _settings: ApiSettings, _now: datetime) -> None:
    await queries.move(conn, redemption.redemption_id, before=("requested",), after="awaiting_approval")


async def _expire(conn: WriteConn, redemption: Redemption, _settings: ApiSettings, _now: datetime) -> None:
    """Nobody decided in time: the units are free again. A decision that came first stands."""
    reason = "nobody decided within 48 hours"
    if await queries.move(conn, redemption.redemption_id, before=UNDECIDED, after="rejected", reason=reason):
        await ledger.release(conn, ref=redemption.redemption_id)
        await record(conn, redemption.redemption_id, actor=WORKER, action="redemption.expired")


async def _burn(conn: WriteConn, redemption: Redemption, settings: ApiSettings, now: datetime) -> None:
    """Ask the gate once more, because time has passed, then have the units destroyed."""
    if redemption.status != "approved":
        return
    decision = await decide(
        conn,
        redemption_id=redemption.redemption_id,
        investor_id=redemption.investor_id,
        offering_id=redemption.offering_id,
        units=redemption.units,
        reserved_units=redemption.units,
        now=now,
    )
    if not decision.allowed:
        await _refuse(conn, redemption, decision)
        return
    operation_id = await _request_burn(conn, redemption, chain_id=settings.chain_id)
    await queries.move(conn, redemption.redemption_id, before=("approved",), after="burning", operation_id=operation_id)
    await record(conn, redemption.redemption_id, actor=WORKER, action="redemption.burn_requested", operation_id=operation_id)  # fmt: skip


async def _refuse(conn: WriteConn, redemption: Redemption, decision: Decision) -> None:
    reason = "; ".join(str(item["message"]) for item in decision.reasons)[:500]
    await queries.move(conn, redemption.redemption_id, before=("approved",), after="failed", reason=reason)
    await ledger.release(conn, ref=redemption.redemption_id)
    await record(conn, redemption.redemption_id, actor=WORKER, action="redemption.refused", decision_id=decision.decision_id)  # fmt: skip


async def _request_burn(conn: WriteConn, redemption: Redemption, *, chain_id: int) -> str:
    offering = await offerings.get(conn, redemption.offering_id)
    wallet = await wallets.investor_wallet(conn, redemption.investor_id, chain_id)
    assert wallet is not None, "the gate lets nobody through without a registered wallet"
    params = {"token": offering.token_address, "from": wallet.address, "units": redemption.units}
    return await tokenization.request_operation(
        conn,
        chain_id=chain_id,
        kind="token.burn",
        params=params,
        business_ref=f"redemption:{redemption.redemption_id}:burn",
    )


async def _payout(conn: WriteConn, redemption: Redemption, settings: ApiSettings, _now: datetime) -> None:
    """Have the cash paid from the treasury. The issuer's own cash pays for it when it suffices, else the platform's bank does."""
    if redemption.phase != "burned":
        return
    payment_id = redemption.payment_id or await _new_payment(conn, redemption, settings)
    await _hold_issuer_cash(conn, redemption)
    operation_id = await tokenization.request_operation(
        conn,
        chain_id=settings.chain_id,
        kind="redemption.payout",
        params={
            "redemption_id": redemption.redemption_id,
            "to_key_ref": await wallets.investor_key_ref(conn, redemption.investor_id, settings.chain_id),
            "amount": redemption.amount_minor * STABLECOIN_UNITS_PER_CENT,
        },
        business_ref=f"redemption:{redemption.redemption_id}:payout",
    )
    await queries.set_payout(conn, redemption.redemption_id, operation_id=operation_id, payment_id=payment_id)
    await record(conn, redemption.redemption_id, actor=WORKER, action="redemption.payout_requested", operation_id=operation_id)  # fmt: skip


async def _new_payment(conn: WriteConn, redemption: Redemption, settings: ApiSettings) -> str:
    payment = await payments.pay_out(
        conn,
        backend=settings.payment_backend,
        actor=WORKER,
        investor_id=redemption.investor_id,
        amount_minor=redemption.amount_minor,
        currency=redemption.currency,
    )
    return payment.payment_id


async def _hold_issuer_cash(conn: WriteConn, redemption: Redemption) -> None:
    ref = payout_ref(redemption)
    if await ledger.reserved(conn, ref):
        return
    account = accounts.issuer(redemption.issuer_id, redemption.currency)
    try:
        await ledger.reserve(conn, ref=ref, account=account, amount=redemption.amount_minor)
    except InsufficientBalance:
        return  # the bank pays: what was reserved, nothing, tells so when the payout is final


def payout_ref(redemption: Redemption) -> str:
    """Under this name the issuer's cash is held until the payout is final."""
    return f"{redemption.redemption_id}:payout"


async def _close(conn: WriteConn, redemption: Redemption, _settings: ApiSettings, _now: datetime) -> None:
    if redemption.status != "paid":
        return
    statement = _statement(redemption).model_dump()
    await queries.set_statement(conn, redemption.redemption_id, statement)
    await record(conn, redemption.redemption_id, actor=WORKER, action="redemption.closed")


def _statement(redemption: Redemption) -> Statement:
    assert redemption.burned_at is not None, "paid units were burned before"
    assert redemption.paid_at is not None, "only a paid redemption is closed"
    return Statement(
        redemption_id=redemption.redemption_id,
        investor_id=redemption.investor_id,
        investor_name=redemption.investor_name,
        offering_id=redemption.offering_id,
        symbol=redemption.symbol,
        units=str(redemption.units),
        price=format_amount(redemption.amount_minor // redemption.units),
        amount=format_amount(redemption.amount_minor),
        currency=redemption.currency,
        burn_operation_id=str(redemption.operation_id),
        payout_operation_id=str(redemption.payout_operation_id),
        payment_id=str(redemption.payment_id),
        requested_at=rfc3339(redemption.created_at),
        burned_at=rfc3339(redemption.burned_at),
        paid_at=rfc3339(redemption.paid_at),
    )


_STEPS: Final[Mapping[Step, Callable[[WriteConn, Redemption, ApiSettings, datetime], Awaitable[None]]]] = {
    "open": _open,
    "expire": _expire,
    "burn": _burn,
    "payout": _payout,
    "close": _close,
}
