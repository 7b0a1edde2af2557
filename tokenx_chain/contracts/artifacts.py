"""Loads compiled contracts from the contracts folder: the pinned npm packages and our own build output."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from tokenx_chain.contracts.abi import Abi
from tokenx_chain.contracts.calls import Call

_TREX: Final = "node_modules/@tokenysolutions/t-rex/artifacts/contracts"
_ONCHAINID: Final = "node_modules/@onchain-id/solidity/artifacts/contracts"

PATHS: Final[dict[str, str]] = {
    "Token": f"{_TREX}/token/Token.sol/Token.json",
    "ClaimTopicsRegistry": f"{_TREX}/registry/implementation/ClaimTopicsRegistry.sol/ClaimTopicsRegistry.json",
    "TrustedIssuersRegistry": f"{_TREX}/registry/implementation/TrustedIssuersRegistry.sol/TrustedIssuersRegistry.json",
    "IdentityRegistryStorage": f"{_TREX}/registry/implementation/IdentityRegistryStorage.sol/IdentityRegistryStorage.json",
    "IdentityRegistry": f"{_TREX}/registry/implementation/IdentityRegistry.sol/IdentityRegistry.json",
    "ModularCompliance": f"{_TREX}/compliance/modular/ModularCompliance.sol/ModularCompliance.json",
    "TREXImplementationAuthority": f"{_TREX}/proxy/authority/TREXImplementationAuthority.sol/TREXImplementationAuthority.json",
    "ClaimTopicsRegistryProxy": f"{_TREX}/proxy/ClaimTopicsRegistryProxy.sol/ClaimTopicsRegistryProxy.json",
    "TrustedIssuersRegistryProxy": f"{_TREX}/proxy/TrustedIssuersRegistryProxy.sol/TrustedIssuersRegistryProxy.json",
    "IdentityRegistryStorageProxy": f"{_TREX}/proxy/IdentityRegistryStorageProxy.sol/IdentityRegistryStorageProxy.json",
    "IdentityRegistryProxy": f"{_TREX}/proxy/IdentityRegistryProxy.sol/IdentityRegistryProxy.json",
    "TREXFactory": f"{_TREX}/factory/TREXFactory.sol/TREXFactory.json",
    "Identity": f"{_ONCHAINID}/Identity.sol/Identity.json",
    "ImplementationAuthority": f"{_ONCHAINID}/proxy/ImplementationAuthority.sol/ImplementationAuthority.json",
    "IdFactory": f"{_ONCHAINID}/factory/IdFactory.sol/IdFactory.json",
    "ClaimIssuer": f"{_ONCHAINID}/ClaimIssuer.sol/ClaimIssuer.json",
    "TestUSD": "out/TestUSD.json",
    "Settlement": "out/Settlement.json",
    "TransferLens": "out/TransferLens.json",
    "HolderCap": "out/HolderCap.json",
    "CountryHolderCap": "out/CountryHolderCap.json",
    "MaxBalance": "out/MaxBalance.json",
    "HolderRules": "out/HolderRules.json",
    "CountryAllow": "out/CountryAllow.json",
    "CountryBlock": "out/CountryBlock.json",
    "LockUp": "out/LockUp.json",
    "VolumeWindow": "out/VolumeWindow.json",
    "ExchangeLimit": "out/ExchangeLimit.json",
}

_CREATION_GAS: Final = 53_000
_CONSTRUCTOR_GAS: Final = 1_500_000
"""Room for what constructors do beyond storing code; unused gas is not spent."""


class ArtifactsMissing(Exception):
    """The contracts folder is not installed or not built."""


@dataclass(frozen=True)
class Artifact:
    """One compiled contract."""

    name: str
    abi: Abi
    bytecode: bytes
    runtime_size: int

    def deployment(self, *args: Any) -> Call:
        """The creating transaction, with a gas limit from the code's size: 200 a byte stored, 16 a byte sent."""
        data = self.bytecode + self.abi.constructor_args(*args)
        return Call(to=None, data=data, gas=_CREATION_GAS + _CONSTRUCTOR_GAS + 17 * len(data) + 200 * self.runtime_size)


class Artifacts:
    """All contracts, loaded when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[str, Artifact] = {}

    def __getitem__(self, name: str) -> Artifact:
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def abi(self, name: str) -> Abi:
        return self[name].abi

    @cached_property
    def custom_errors(self) -> dict[bytes, dict[str, Any]]:
        """Custom errors of all contracts by selector: a revert passes through several and does not say whose it is."""
        return {selector: entry for name in PATHS for selector, entry in self[name].abi.errors.items()}

    def check(self) -> None:
        """Raises ArtifactsMissing in one plain line when something is not there."""
        for name in PATHS:
            self[name]

    def _load(self, name: str) -> Artifact:
        path = self._folder / PATHS[name]
        try:
            content: dict[str, Any] = json.loads(path.read_text())
        except OSError as error:
            raise ArtifactsMissing(f"{path} is missing: run `npm ci --ignore-scripts && npm run build` in {self._folder}") from error  # fmt: skip
        runtime = content["deployedBytecode"].removeprefix("0x")
        return Artifact(name, Abi(content["abi"]), bytes.fromhex(content["bytecode"].removeprefix("0x")), len(runtime) // 2)  # fmt: skip
