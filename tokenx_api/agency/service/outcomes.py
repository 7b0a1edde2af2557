"""What the chain says about an act.

The ledger follows the transfers themselves, each in the transaction that moves the register and the cursor; the end of the operation closes the
act and settles what is frozen."""

from typing import Any, Final

from tokenx_api.agency import queries, rules
from tokenx_api.agency.errors import UnitsOfNobody
from tokenx_api.agency.models import Act
from tokenx_api.agency.service.read import get
from tokenx_api.agency.service.request import hold_ref
from tokenx_api.audit import service as audit
from tokenx_api.db import WriteConn
from tokenx_api.ledger import models as accounts
from tokenx_api.ledger import service as ledger
from tokenx_api.ledger.models import Posting
from tokenx_api.offerings import service as offerings
from tokenx_api.tokenization import service as tokenization
from tokenx_api.wallets import service as wallets

CHAIN: Final = "service:chain"
_NOBODY: Final = "0x" + "0" * 40


async def on_transfer_final(
    conn: WriteConn, *, chain_id: int, event_id: str, tx_hash: str | None, payload: dict[str, Any]
) -> None:
    """Book a transfer that an act has made, once for each event; anything else is not an agent's. Raises UnitsOfNobody."""
    ref = await tokenization.business_ref_of(conn, chain_id=chain_id, tx_hash=tx_hash) if tx_hash else None
    if ref is None or not ref.startswith("act:"):
        return
    act = await get(conn, ref.partition(":")[2])
    offering = await offerings.get(conn, act.offering_id)
    if str(payload["token"]).lower() != offering.token_address:
        return
    units = int(payload["amount"])
    sender = await _holder(conn, chain_id, str(payload["from"]).lower())
    receiver = await _holder(conn, chain_id, str(payload["to"]).lower())
    if sender is not None:
        await ledger.release(conn, ref=hold_ref(act.act_id, sender), amount=units)
    postings = [
        Posting(accounts.issuance(act.offering_id) if sender is None else accounts.investor(sender, act.offering_id), -units),
        Posting(accounts.issuance(act.offering_id) if receiver is None else accounts.investor(receiver, act.offering_id), units),
    ]  # fmt: skip
    await ledger.post(conn, kind="act", ref=event_id, postings=postings)


async def _holder(conn: WriteConn, chain_id: int, address: str) -> str | None:
    """Whose units they are; None for a mint's sender and a burn's receiver."""
    if address == _NOBODY:
        return None
    wallet = await wallets.by_address(conn, chain_id=chain_id, address=address)
    if wallet is None or wallet.investor_id is None:
        raise UnitsOfNobody(f"{address} is no investor's wallet")
    return wallet.investor_id


async def on_operation_final(conn: WriteConn, act_id: str, operation_id: str, result: dict[str, Any]) -> None:
    """The act is done. Doing it twice changes nothing."""
    await queries.lock(conn, act_id)
    act = await get(conn, act_id)
    if not await queries.close(conn, act_id, status="final"):
        return
    if act.kind == "unpause":
        await offerings.set_token_paused(conn, act.offering_id, paused=False)
    for item in act.items:
        if act.kind == "unfreeze_wallet":
            await queries.set_wallet_frozen(conn, offering_id=act.offering_id, investor_id=item.investor_id, frozen=False)  # fmt: skip
        elif act.kind == "unfreeze_units":
            await _thaw(conn, act, item.investor_id, int(item.units or 0))
    await _eaten(conn, act, result)
    await _record(conn, act, "act.final", operation_id=operation_id)


async def _eaten(conn: WriteConn, act: Act, result: dict[str, Any]) -> None:
    """A burn or a forced transfer sets frozen units free where it needs them."""
    unfrozen: dict[str, str] = result.get("unfrozen") or {}
    if not unfrozen:
        return
    offering = await offerings.get(conn, act.offering_id)
    assert offering.chain_id is not None, "an offering with acts is deployed"
    for address, units in unfrozen.items():
        wallet = await wallets.by_address(conn, chain_id=offering.chain_id, address=address)
        if wallet is not None and wallet.investor_id is not None:
            await _thaw(conn, act, wallet.investor_id, int(units))


async def _thaw(conn: WriteConn, act: Act, investor_id: str, units: int) -> None:
    await queries.add_frozen_units(conn, offering_id=act.offering_id, investor_id=investor_id, units=-units)


async def on_operation_failed(
    conn: WriteConn, act_id: str, operation_id: str, error_code: str, error_detail: str
) -> None:
    """Nothing happened on chain, so nothing has happened here either: what was held is free, what was frozen or paused is not."""
    await queries.lock(conn, act_id)
    act = await get(conn, act_id)
    if not await queries.close(
        conn, act_id, status="failed", error_code=error_code[:200], error_detail=error_detail[:500]
    ):
        return
    if act.kind == "pause":
        await offerings.set_token_paused(conn, act.offering_id, paused=False)
    for item in act.items:
        if act.kind in rules.GIVES_UP:
            await ledger.release(conn, ref=hold_ref(act_id, item.investor_id))
        elif act.kind == "freeze_wallet":
            await queries.set_wallet_frozen(conn, offering_id=act.offering_id, investor_id=item.investor_id, frozen=False)  # fmt: skip
        elif act.kind == "freeze_units":
            await _thaw(conn, act, item.investor_id, int(item.units or 0))
    await _record(conn, act, "act.failed", operation_id=operation_id, error_code=error_code, error_detail=error_detail)


async def _record(conn: WriteConn, act: Act, action: str, **detail: Any) -> None:
    await audit.record(conn, actor=CHAIN, action=action, subject_type="act", subject_id=act.act_id, kind=act.kind,
                       offering_id=act.offering_id, **detail)  # fmt: skip
