"""The register of final on-chain balances, and the cap table that lays it beside the ledger."""

from typing import Any, Final

import asyncpg

from tokenx_api.auth.models import Actor, Persona
from tokenx_api.captable import queries, rules
from tokenx_api.captable.errors import UnknownHolding
from tokenx_api.captable.models import CapTable, Holder, HolderView
from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.streams import service as streams
from tokenx_common.errors import NotFound
from tokenx_common.money import share_pct

NOBODY: Final = "0x" + "0" * 40
"""Minted from here, burned to here."""
_STAFF: Final[set[Persona]] = {"transfer_agent", "compliance_officer", "tokenization_agent", "admin"}


async def on_transfer_final(conn: WriteConn, chain_id: int, seq: int, payload: dict[str, Any]) -> None:
    """Move a balance of the register, once per event: each row remembers the last event that moved it. Raises UnknownHolding."""
    token, amount = str(payload["token"]).lower(), int(payload["amount"])
    sender, receiver = str(payload["from"]).lower(), str(payload["to"]).lower()
    if sender == receiver or amount == 0:
        return
    if sender != NOBODY:
        await _take(conn, chain_id=chain_id, token=token, address=sender, amount=amount, seq=seq)
    if receiver != NOBODY:
        await queries.add_units(conn, chain_id=chain_id, token=token, address=receiver, amount=amount, seq=seq)


async def rebuild(conn: WriteConn, *, chain_id: int, token: str, seq: int) -> None:
    """The token's balances afresh from its final transfers up to seq, after one that could not be taken in at its time. The caller holds the
    consumer's cursor at seq. Raises UnknownHolding when the transfers still do not add up."""
    try:
        await queries.rebuild(conn, chain_id=chain_id, token=token.lower(), seq=seq, nobody=NOBODY)
    except asyncpg.CheckViolationError:
        raise UnknownHolding(f"the final transfers of {token} do not add up", seq=seq) from None


async def _take(conn: WriteConn, *, chain_id: int, token: str, address: str, amount: int, seq: int) -> None:
    if await queries.take_units(conn, chain_id=chain_id, token=token, address=address, amount=amount, seq=seq):
        return
    if await queries.select_last_seq(conn, chain_id=chain_id, token=token, address=address) is None:
        raise UnknownHolding(f"{address} holds nothing of {token}", seq=seq)


async def cap_table(conn: ReadConn, *, actor: Actor, offering_id: str, chain_id: int) -> CapTable:
    """Ledger and chain side by side, both as of one moment. Raises NotFound for an offering that is not the issuer's own."""
    issuer_id = await queries.select_issuer(conn, offering_id)
    if issuer_id is None or not (_STAFF & set(actor.personas) or actor.issuer_id == issuer_id):
        raise NotFound("offering")
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        holders = await queries.select_holders(conn, offering_id)
        issued = await queries.select_issued(conn, offering_id)
        as_of_seq = await streams.cursor(conn, consumer="api.chain", stream=f"chain:{chain_id}")
    total = rules.total_units(holders)
    return CapTable(
        offering_id=offering_id,
        as_of_seq=as_of_seq,
        total_units=str(total),
        on_chain_supply=str(rules.on_chain_supply(holders)),
        agrees=rules.agrees(holders, issued_units=issued),
        data=[_view(holder, total) for holder in holders],
    )


async def holders(conn: ReadConn, offering_id: str) -> list[Holder]:
    """Every holder of an offering by the ledger or by the register, largest first; both as of one moment inside one snapshot."""
    return await queries.select_holders(conn, offering_id)


def _view(holder: Holder, total: int) -> HolderView:
    return HolderView(
        investor_id=holder.investor_id,
        legal_name=holder.legal_name,
        country=holder.country,
        address=holder.address,
        ledger_units=str(holder.ledger),
        in_flight_units=str(holder.in_flight),
        on_chain_units=str(holder.on_chain),
        share_pct=share_pct(holder.ledger, total),
    )
