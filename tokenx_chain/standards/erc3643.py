"""ERC-3643 (T-REX 4.1.6 with ONCHAINID 2.2.1): which contract plays which role on a chain, and why a movement would be refused.

The stock token answers "Transfer not possible" whatever the reason, and looks at the receiver only. The checks here name the reason
and look at both sides."""

import json
from typing import TypeVar

from tokenx_chain.chain import Chain
from tokenx_chain.contracts.calls import ZERO_ADDRESS, Read
from tokenx_chain.contracts.compliance import Compliance, CountryRule
from tokenx_chain.contracts.errors import Refusal
from tokenx_chain.contracts.factory import SuiteFactory
from tokenx_chain.contracts.identity import ClaimIssuer, Identity, IdentityFactory
from tokenx_chain.contracts.identity_registry import IdentityRegistry
from tokenx_chain.contracts.settlement import Settlement
from tokenx_chain.contracts.stablecoin import StableCoin
from tokenx_chain.contracts.token import Token

Value = TypeVar("Value")

_RULE_CODES = {"COUNTRY_BLOCKED": "compliance.country_blocked", "COUNTRY_NOT_ALLOWED": "compliance.country_not_allowed"}


class Erc3643:
    """The contracts of one chain by role. Raises PlatformNotDeployed for those that are not there yet."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._abi = chain.artifacts.abi
        self._at = chain.registry.require

    def token(self, address: str) -> Token:
        return Token(self._abi("Token"), address)

    def registry(self, address: str | None = None) -> IdentityRegistry:
        """The shared registry, or the one of a token."""
        return IdentityRegistry(self._abi("IdentityRegistry"), address or self._at("IdentityRegistry"))

    def compliance(self, address: str) -> Compliance:
        return Compliance(self._abi("ModularCompliance"), address)

    def identity(self, address: str) -> Identity:
        return Identity(self._abi("Identity"), address)

    @property
    def suites(self) -> SuiteFactory:
        return SuiteFactory(self._abi("TREXFactory"), self._at("TREXFactory"))

    @property
    def identities(self) -> IdentityFactory:
        return IdentityFactory(self._abi("IdFactory"), self._at("IdFactory"))

    @property
    def claim_issuer(self) -> ClaimIssuer:
        return ClaimIssuer(self._abi("ClaimIssuer"), self._at("ClaimIssuer"))

    @property
    def country_rule(self) -> CountryRule:
        return CountryRule(self._abi("CountryRule"), self._at("CountryRule"))

    @property
    def settlement(self) -> Settlement:
        return Settlement(self._abi("Settlement"), self._at("Settlement"))

    @property
    def coin(self) -> StableCoin:
        return StableCoin(self._abi("TestUSD"), self._at("StableCoin"))

    async def can_transfer(self, token: Token, *, sender: str, receiver: str, units: int) -> Refusal | None:
        """Why a holder's transfer would be refused, None when it would go through. Raises RpcError, RpcUnavailable.

        Looks at everything: pause, freezes, free balance, both identities, each bound rule."""
        if sender == receiver:
            return Refusal("transfer.to_self", "sender and receiver are the same")
        if await self._read(token.is_paused()):
            return Refusal("token.paused", "the token is paused")
        frozen = await self._chain.node.read_all([token.is_frozen(sender), token.is_frozen(receiver)])
        if any(frozen):
            return Refusal("wallet.frozen", f"the {'sender' if frozen[0] else 'receiver'} is frozen")
        balance, locked = await self._chain.node.read_all([token.balance(sender), token.frozen_units(sender)])
        if balance - locked < units:
            return Refusal("balance.insufficient", f"{balance - locked} of {balance} units are free")
        registry = self.registry(await self._read(token.identity_registry()))
        if not await self._read(registry.is_verified(sender)):
            return Refusal("identity.sender_not_verified", "the sender has no valid KYC claim")
        return await self._can_receive(token, registry, sender=sender, receiver=receiver, units=units)

    async def can_mint(self, token: Token, *, receiver: str, units: int) -> Refusal | None:
        """Why a mint would be refused, None when it would go through. Agents pass pause and freezes."""
        registry = self.registry(await self._read(token.identity_registry()))
        return await self._can_receive(token, registry, sender=ZERO_ADDRESS, receiver=receiver, units=units)

    async def _can_receive(self, token: Token, registry: IdentityRegistry, *, sender: str, receiver: str, units: int) -> Refusal | None:  # fmt: skip
        if not await self._read(registry.is_verified(receiver)):
            return Refusal("identity.not_verified", "the receiver has no valid KYC claim")
        compliance = await self._read(token.compliance())
        bound = await self._read(self.compliance(compliance).modules())
        if self.country_rule.address not in bound:
            return None
        reason = await self._read(self.country_rule.reason(sender=sender, receiver=receiver, units=units, compliance=compliance))  # fmt: skip
        text = reason.rstrip(b"\0").decode()
        return Refusal(_RULE_CODES.get(text, "compliance.refused"), text) if text else None

    async def _read(self, read: Read[Value]) -> Value:
        return await self._chain.node.read(read)


def kyc_claim_data(*, chain_id: int, investor_id: str) -> bytes:
    """What the KYC claim says. It carries the chain id, because ONCHAINID's signature does not; and nothing personal."""
    return json.dumps({"chain_id": chain_id, "kyc": "passed", "subject": investor_id}, sort_keys=True).encode()
