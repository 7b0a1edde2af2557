"""Wallets of investors and issuers. Keys stay in the chain service; here are names and addresses."""

from collections import defaultdict
from collections.abc import Sequence

from tokenx_api.context import AppContext
from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.wallets import queries
from tokenx_api.wallets.models import Wallet, WalletStatus, investor_key, issuer_key
from tokenx_common.ids import new_id


async def custodial_address(context: AppContext, key_ref: str) -> str:
    """The address of a custodial key, lower case; the same for ever. Call it before a transaction starts. Raises DependencyUnavailable."""
    answer = await context.chain.post("/v1/wallets", {"key_ref": key_ref})
    return str(answer["address"]).lower()


async def open_investor_wallet(
    conn: WriteConn, *, chain_id: int, investor_id: str, key_ref: str, address: str
) -> Wallet:
    """The investor's wallet on the chain, on its way into the registry. key_ref: of the wallet that is there, or the investor's first."""
    return await _open(conn, chain_id, key_ref, address, "registering", investor_id=investor_id)


async def open_issuer_wallet(conn: WriteConn, *, chain_id: int, issuer_id: str, address: str) -> Wallet:
    """The issuer's wallet on the chain: it receives cash, so it needs no identity."""
    return await _open(conn, chain_id, issuer_key(issuer_id), address, "created", issuer_id=issuer_id)


async def investor_wallet(conn: ReadConn, investor_id: str, chain_id: int) -> Wallet | None:
    wallets = await queries.select_of_investors(conn, [investor_id])
    return next((wallet for wallet in wallets if wallet.chain_id == chain_id), None)


async def investor_key_ref(conn: ReadConn, investor_id: str, chain_id: int) -> str:
    """The name of the key the investor's wallet has now: the first one unless it was recovered."""
    wallet = await investor_wallet(conn, investor_id, chain_id)
    return wallet.key_ref if wallet else investor_key(investor_id)


async def issuer_wallet(conn: ReadConn, issuer_id: str, chain_id: int) -> Wallet | None:
    wallets = await queries.select_of_issuers(conn, [issuer_id])
    return next((wallet for wallet in wallets if wallet.chain_id == chain_id), None)


async def of_investors(conn: ReadConn, investor_ids: Sequence[str]) -> dict[str, list[Wallet]]:
    """Wallets by investor; an empty list for one without."""
    grouped: defaultdict[str, list[Wallet]] = defaultdict(list)
    for wallet in await queries.select_of_investors(conn, investor_ids):
        grouped[str(wallet.investor_id)].append(wallet)
    return {investor_id: grouped[investor_id] for investor_id in investor_ids}


async def registered(conn: WriteConn, wallet_id: str, identity: str) -> bool:
    """The identity registry holds the wallet now. False when it was not on its way there: nothing changes."""
    return await queries.move(conn, wallet_id, before="registering", after="registered", identity=identity)


async def registration_failed(conn: WriteConn, wallet_id: str) -> bool:
    """Back to created, so that it can be tried again. False when it was not on its way."""
    return await queries.move(conn, wallet_id, before="registering", after="created")


async def by_address(conn: ReadConn, *, chain_id: int, address: str) -> Wallet | None:
    """Whose wallet an address is; None for nobody's, and for one that was given up in a recovery."""
    return await queries.select_by_address(conn, chain_id=chain_id, address=address.lower())


async def remove(conn: WriteConn, wallet_id: str) -> None:
    """It counts as taken off the registry from now on."""
    await queries.remove(conn, wallet_id)


async def recovering(conn: WriteConn, wallet_id: str) -> bool:
    """Its units are on their way to a new key. False when it is not registered: nothing changes."""
    return await queries.move(conn, wallet_id, before="registered", after="recovering")


async def recovered(conn: WriteConn, wallet_id: str, *, address: str, key_ref: str) -> bool:
    """It has the new key from now on. False when it was not being recovered: nothing changes."""
    return await queries.replace_key(conn, wallet_id, address=address, key_ref=key_ref)


async def recovery_failed(conn: WriteConn, wallet_id: str) -> bool:
    """Back to registered under its old key."""
    return await queries.move(conn, wallet_id, before="recovering", after="registered")


async def _open(
    conn: WriteConn,
    chain_id: int,
    key_ref: str,
    address: str,
    status: WalletStatus,
    *,
    investor_id: str | None = None,
    issuer_id: str | None = None,
) -> Wallet:
    wallet = Wallet(new_id("wal"), chain_id, address, key_ref, investor_id, issuer_id, None, status)
    return await queries.upsert(conn, wallet)
