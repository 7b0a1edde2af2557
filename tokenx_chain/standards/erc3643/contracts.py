"""Which contract plays which role on a chain, and what the KYC claim says."""

import json

from tokenx_chain.chain import Chain
from tokenx_chain.contracts.compliance import Compliance
from tokenx_chain.contracts.factory import SuiteFactory
from tokenx_chain.contracts.identity import ClaimIssuer, Identity, IdentityFactory
from tokenx_chain.contracts.identity_registry import IdentityRegistry
from tokenx_chain.contracts.settlement import Settlement
from tokenx_chain.contracts.stablecoin import StableCoin
from tokenx_chain.contracts.token import Token
from tokenx_chain.standards.erc3643.asking import Asking
from tokenx_chain.standards.errors import Obstacle


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
    def settlement(self) -> Settlement:
        return Settlement(self._abi("Settlement"), self._at("Settlement"))

    @property
    def coin(self) -> StableCoin:
        return StableCoin(self._abi("TestUSD"), self._at("StableCoin"))

    async def can_transfer(self, token: Token, *, sender: str, receiver: str, units: int) -> Obstacle | None:
        """Why a holder's transfer would be refused, None when it would go through. Raises RpcError, RpcUnavailable."""
        return await Asking(self._chain).transfer(token, sender=sender, receiver=receiver, units=units)

    async def can_mint(self, token: Token, *, receiver: str, units: int) -> Obstacle | None:
        """Why a mint would be refused, None when it would go through. Agents pass pause and freezes."""
        return await Asking(self._chain).mint(token, receiver=receiver, units=units)


def kyc_claim_data(*, chain_id: int, investor_id: str, serial: int) -> bytes:
    """What the KYC claim says. It carries the chain id, because ONCHAINID's signature does not; a serial number, so that a claim made after a
    revocation is not the revoked one again; and nothing personal."""
    facts = {"chain_id": chain_id, "kyc": "passed", "serial": serial, "subject": investor_id}
    return json.dumps(facts, sort_keys=True).encode()
