"""Payments: asked for here, settled by the provider's callback. A settled deposit is booked and mirrored as on-chain cash."""

from dataclasses import replace
from typing import Any

from tokenx_api.audit import service as audit
from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.investors import service as investors
from tokenx_api.ledger import models as accounts
from tokenx_api.ledger import service as ledger
from tokenx_api.ledger.models import Posting
from tokenx_api.payments import queries
from tokenx_api.payments.errors import MintNotFailed, NoWallet
from tokenx_api.payments.models import Direction, Payment
from tokenx_api.payments.provider import PROVIDERS, PaymentProvider
from tokenx_api.tokenization import service as tokenization
from tokenx_api.wallets import service as wallets
from tokenx_common.errors import NotFound
from tokenx_common.ids import new_id
from tokenx_common.money import STABLECOIN_UNITS_PER_CENT


async def deposit(
    conn: WriteConn,
    *,
    backend: str,
    actor: str,
    investor_id: str,
    amount_minor: int,
    currency: str,
    chain_id: int,
) -> Payment:
    """A pending deposit. backend: PAYMENT_BACKEND of the settings. Raises NoWallet, InvestorRevoked, InvestorFrozen."""
    await investors.require_active(conn, investor_id)
    if await wallets.investor_wallet(conn, investor_id, chain_id) is None:
        raise NoWallet("your identity check must be approved first: it gives you the wallet that holds the cash")
    return await _request(
        conn, PROVIDERS[backend], actor=actor, investor_id=investor_id, direction="deposit",
        amount_minor=amount_minor, currency=currency,
    )  # fmt: skip


async def pay_out(
    conn: WriteConn,
    *,
    backend: str,
    actor: str,
    investor_id: str,
    amount_minor: int,
    currency: str = "USD",
) -> Payment:
    """A pending payout to the investor's bank; the provider settles it. backend: PAYMENT_BACKEND of the settings. Booking it is the caller's business."""
    return await _request(
        conn, PROVIDERS[backend], actor=actor, investor_id=investor_id, direction="payout",
        amount_minor=amount_minor, currency=currency,
    )  # fmt: skip


async def page(conn: ReadConn, *, investor_id: str, before: str | None, limit: int) -> list[Payment]:
    """Newest first."""
    return await queries.select_page(conn, investor_id=investor_id, before=before, limit=limit)


async def settle(conn: WriteConn, provider_ref: str, *, chain_id: int) -> bool:
    """The provider's callback: the money has moved. False when that was known: callbacks may come twice. Raises NotFound."""
    payment = await queries.settle(conn, provider_ref)
    if payment is None:
        if not await queries.exists(conn, provider_ref):
            raise NotFound("payment")
        return False
    await _audit(conn, f"service:{payment.provider}", "payment.settled", payment.payment_id)
    if payment.direction == "deposit":
        await _book_deposit(conn, payment)
        await _mint_cash(conn, payment, chain_id=chain_id)
    return True


async def mint_again(conn: WriteConn, *, actor: str, payment_id: str, chain_id: int) -> Payment:
    """Ask once more for the on-chain cash of a deposit whose operation failed. Raises NotFound, MintNotFailed."""
    payment = await queries.select_failed_mint(conn, payment_id)
    if payment is None:
        if not await queries.exists_id(conn, payment_id):
            raise NotFound("payment")
        raise MintNotFailed("the payment has no failed operation")
    operation_id = await _mint_cash(conn, payment, chain_id=chain_id)
    await _audit(conn, actor, "payment.mint_repeated", payment_id, operation_id=operation_id)
    return replace(payment, operation_id=operation_id)


async def on_operation_final(conn: WriteConn, payment_id: str, operation_id: str, result: dict[str, Any]) -> None:
    """The deposit's cash is on chain."""
    await _audit(conn, "service:chain", "payment.minted", payment_id, operation_id=operation_id)


async def on_operation_failed(
    conn: WriteConn, payment_id: str, operation_id: str, error_code: str, error_detail: str
) -> None:
    """The books stand: the money did arrive. A tokenization agent looks at the cause and asks again."""
    await _audit(conn, "service:chain", "payment.mint_failed", payment_id, operation_id=operation_id,
                 error_code=error_code, error_detail=error_detail)  # fmt: skip


async def _request(
    conn: WriteConn,
    provider: PaymentProvider,
    *,
    actor: str,
    investor_id: str,
    direction: Direction,
    amount_minor: int,
    currency: str,
) -> Payment:
    payment = await queries.insert(
        conn,
        payment_id=new_id("pay"),
        investor_id=investor_id,
        direction=direction,
        amount_minor=amount_minor,
        currency=currency,
        provider=provider.name,
        provider_ref=provider.new_ref(),
    )
    await _audit(conn, actor, f"payment.{direction}_requested", payment.payment_id)
    return payment


async def _book_deposit(conn: WriteConn, payment: Payment) -> None:
    await ledger.post(
        conn,
        kind="deposit",
        ref=payment.payment_id,
        postings=[
            Posting(accounts.bank(payment.currency), -payment.amount_minor),
            Posting(accounts.investor(payment.investor_id, payment.currency), payment.amount_minor),
        ],
    )


async def _mint_cash(conn: WriteConn, payment: Payment, *, chain_id: int) -> str:
    wallet = await wallets.investor_wallet(conn, payment.investor_id, chain_id)
    assert wallet is not None, "a deposit is refused without a wallet, and wallets are never deleted"
    params = {"to": wallet.address, "amount": payment.amount_minor * STABLECOIN_UNITS_PER_CENT}
    operation_id = await tokenization.request_operation(
        conn, chain_id=chain_id, kind="cash.mint", params=params, business_ref=f"payment:{payment.payment_id}"
    )
    await queries.set_operation(conn, payment.payment_id, operation_id)
    return operation_id


async def _audit(conn: WriteConn, actor: str, action: str, payment_id: str, **detail: Any) -> None:
    await audit.record(conn, actor=actor, action=action, subject_type="payment", subject_id=payment_id, **detail)
