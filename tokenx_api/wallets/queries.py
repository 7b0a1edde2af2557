"""SQL of wallets."""

from collections.abc import Sequence
from typing import LiteralString

from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.wallets.models import Wallet, WalletStatus

UPSERT: LiteralString = """
    INSERT INTO api.wallets (wallet_id, chain_id, address, key_ref, investor_id, issuer_id, status) VALUES ($1, $2, $3, $4, $5, $6, $7)
    ON CONFLICT (chain_id, key_ref) DO UPDATE SET status = excluded.status
    RETURNING wallet_id, chain_id, address, key_ref, investor_id, issuer_id, identity, status"""
SELECT_OF_INVESTORS: LiteralString = """
    SELECT wallet_id, chain_id, address, key_ref, investor_id, issuer_id, identity, status FROM api.wallets
    WHERE investor_id = ANY($1::text[]) ORDER BY wallet_id LIMIT 1000"""
SELECT_OF_ISSUERS: LiteralString = """
    SELECT wallet_id, chain_id, address, key_ref, investor_id, issuer_id, identity, status FROM api.wallets
    WHERE issuer_id = ANY($1::text[]) ORDER BY wallet_id LIMIT 1000"""
SELECT_BY_ADDRESS: LiteralString = """
    SELECT wallet_id, chain_id, address, key_ref, investor_id, issuer_id, identity, status FROM api.wallets WHERE chain_id = $1 AND address = $2"""
REPLACE_KEY: LiteralString = """
    UPDATE api.wallets SET address = $2, key_ref = $3, status = 'registered' WHERE wallet_id = $1 AND status = 'recovering' RETURNING wallet_id"""
REMOVE: LiteralString = """
    UPDATE api.wallets SET status = 'removed' WHERE wallet_id = $1"""
MOVE: LiteralString = """
    UPDATE api.wallets SET status = $3, identity = coalesce($4, identity) WHERE wallet_id = $1 AND status = $2 RETURNING wallet_id"""


async def upsert(conn: WriteConn, wallet: Wallet) -> Wallet:
    """The stored wallet of that key: a new one, or the one that was there with the new status."""
    row = await conn.fetchrow(
        UPSERT,
        wallet.wallet_id,
        wallet.chain_id,
        wallet.address,
        wallet.key_ref,
        wallet.investor_id,
        wallet.issuer_id,
        wallet.status,
    )
    assert row is not None, "an upsert returns its row"
    return _wallet(row)


async def select_of_investors(conn: ReadConn, investor_ids: Sequence[str]) -> list[Wallet]:
    return [_wallet(row) for row in await conn.fetch(SELECT_OF_INVESTORS, list(investor_ids))]


async def select_of_issuers(conn: ReadConn, issuer_ids: Sequence[str]) -> list[Wallet]:
    return [_wallet(row) for row in await conn.fetch(SELECT_OF_ISSUERS, list(issuer_ids))]


async def select_by_address(conn: ReadConn, *, chain_id: int, address: str) -> Wallet | None:
    row = await conn.fetchrow(SELECT_BY_ADDRESS, chain_id, address)
    return _wallet(row) if row else None


async def replace_key(conn: WriteConn, wallet_id: str, *, address: str, key_ref: str) -> bool:
    """Whether the wallet was being recovered, and now has the new key."""
    return await conn.fetchval(REPLACE_KEY, wallet_id, address, key_ref) is not None


async def remove(conn: WriteConn, wallet_id: str) -> None:
    """Whatever its status was."""
    await conn.execute(REMOVE, wallet_id)


async def move(
    conn: WriteConn, wallet_id: str, *, before: WalletStatus, after: WalletStatus, identity: str | None = None
) -> bool:
    """Whether the wallet was in the status before, and so moved."""
    return await conn.fetchval(MOVE, wallet_id, before, after, identity) is not None


def _wallet(row: Record) -> Wallet:
    return Wallet(
        wallet_id=row["wallet_id"],
        chain_id=row["chain_id"],
        address=row["address"],
        key_ref=row["key_ref"],
        investor_id=row["investor_id"],
        issuer_id=row["issuer_id"],
        identity=row["identity"],
        status=row["status"],
    )
