"""Custodial wallets: addresses whose keys the chain service holds."""

from dataclasses import dataclass
from typing import Literal

from tokenx_common.wire import WireModel

WalletStatus = Literal["created", "registering", "registered", "recovering", "removed"]


@dataclass(frozen=True)
class Wallet:
    """Belongs to an investor or to an issuer. address: lower case. identity: its ONCHAINID, None until deployed."""

    wallet_id: str
    chain_id: int
    address: str
    key_ref: str
    investor_id: str | None
    issuer_id: str | None
    identity: str | None
    status: WalletStatus


class WalletView(WireModel):
    """address is lower case; screens show it with its EIP-55 checksum."""

    wallet_id: str
    chain_id: int
    address: str
    identity: str | None
    status: WalletStatus


def wallet_view(wallet: Wallet) -> WalletView:
    return WalletView(
        wallet_id=wallet.wallet_id,
        chain_id=wallet.chain_id,
        address=wallet.address,
        identity=wallet.identity,
        status=wallet.status,
    )


def investor_key(investor_id: str) -> str:
    """The name of an investor's custodial key."""
    return f"investor:{investor_id}"


def next_key(key_ref: str) -> str:
    """The name of the key that follows a lost one: 'investor:<id>', 'investor:<id>@2', 'investor:<id>@3', and so on."""
    name, _, number = key_ref.partition("@")
    return f"{name}@{int(number or 1) + 1}"


def issuer_key(issuer_id: str) -> str:
    """The name of an issuer's custodial key."""
    return f"issuer:{issuer_id}"
