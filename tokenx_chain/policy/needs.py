"""What the platform's own operations have to be allowed to do: so that a change of the rules can be told, before it counts, what it would stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tokenx_chain.operations.keys import ATS_SUBMITTER, PLATFORM, TREASURY
from tokenx_chain.policy.rules import Outcome, Request, Rule, decide

HOLDER: Final = "investor:any"
"""Stands for the key of any investor or issuer."""
_TOKEN: Final = "token:any"  # noqa: S105  # the name of a security token, not a secret
_ADDRESS: Final = "0x" + "00" * 20

Need = tuple[str, str, str]
"""(key_ref, contract, function)"""

_GAS: Final[Need] = (PLATFORM, "coin", "transfer")
_PAYS: Final[Need] = (HOLDER, "StableCoin", "transfer")


def _agent(*functions: str) -> tuple[Need, ...]:
    return tuple((PLATFORM, _TOKEN, function) for function in functions)


def _registry(*functions: str) -> tuple[Need, ...]:
    return tuple((PLATFORM, "IdentityRegistry", function) for function in functions)


NEEDS: Final[dict[str, tuple[Need, ...]]] = {
    "platform.deploy": ((PLATFORM, "create", "create"), (PLATFORM, "unlisted", "0x00000000"), _GAS),
    "offering.deploy": ((PLATFORM, "TREXFactory", "deployTREXSuite"), (PLATFORM, "Settlement", "setAsset"), *_agent("unpause")),
    "investor.register": (_GAS, (PLATFORM, "IdFactory", "createIdentity"), (PLATFORM, "unlisted", "addClaim"), (PLATFORM, "HolderRules", "sync"), *_registry("registerIdentity", "updateCountry")),
    "investor.unregister": _registry("deleteIdentity"),
    "investor.revoke": ((PLATFORM, "ClaimIssuer", "revokeClaimBySignature"), *_agent("setAddressFrozen"), *_registry("deleteIdentity")),
    "investor.recover": (_GAS, *_agent("setAddressFrozen", "forcedTransfer"), *_registry("registerIdentity", "deleteIdentity")),
    "cash.mint": ((PLATFORM, "StableCoin", "mint"),),
    "cash.transfer": (_GAS, _PAYS),
    "subscription.issue": (_GAS, _PAYS, *_agent("mint")),
    "token.mint": _agent("mint"),
    "token.mint_batch": _agent("batchMint"),
    "token.burn": _agent("burn"),
    "token.burn_batch": _agent("batchBurn"),
    "token.transfer": (_GAS, (HOLDER, _TOKEN, "transfer")),
    "token.transfer_batch": (_GAS, (HOLDER, _TOKEN, "batchTransfer")),
    "token.freeze": _agent("setAddressFrozen"),
    "token.freeze_batch": _agent("batchSetAddressFrozen"),
    "token.force_transfer": _agent("forcedTransfer"),
    "token.force_transfer_batch": _agent("batchForcedTransfer"),
    "token.freeze_units": _agent("freezePartialTokens", "unfreezePartialTokens"),
    "token.freeze_units_batch": _agent("batchFreezePartialTokens", "batchUnfreezePartialTokens"),
    "token.pause": _agent("pause", "unpause"),
    "settlement.batch": (
        _GAS, *((HOLDER, asset, f"{change}Allowance") for asset in ("StableCoin", _TOKEN) for change in ("increase", "decrease")),
        (HOLDER, "Settlement", "setCustodian"), (ATS_SUBMITTER, "Settlement", "settleBatch"),
    ),
    "signer.rotate": (_GAS, (PLATFORM, "Settlement", "setOperator"), (PLATFORM, "Settlement", "setSubmitter"), (PLATFORM, "ClaimIssuer", "addKey")),
    "redemption.payout": (_GAS, (TREASURY, "StableCoin", "transfer")),
}  # fmt: skip
"""By kind of operation. A kind that is missing here is one nobody is warned about."""


@dataclass(frozen=True)
class Stopped:
    """effect 'denied': operations of this kind would fail; 'needs_approval': each would wait for two people, also for the smallest amount."""

    kind: str
    key_ref: str
    contract: str
    function: str
    effect: Literal["denied", "needs_approval"]


def warnings(rules: Sequence[Rule], *, usual: Sequence[Rule]) -> list[Stopped]:
    """What the rules would stop of the platform's own work, or make wait where the usual ones do not."""
    found: list[Stopped] = []
    for kind, needs in NEEDS.items():
        for key_ref, contract, function in needs:
            request = Request(kind, key_ref, contract, None if contract == "create" else _ADDRESS, function, 1)
            outcome = decide(request, rules, {}).outcome
            if outcome is Outcome.DENY:
                found.append(Stopped(kind, key_ref, contract, function, "denied"))
            elif outcome is Outcome.APPROVE and decide(request, usual, {}).outcome is Outcome.ALLOW:
                found.append(Stopped(kind, key_ref, contract, function, "needs_approval"))
    return found
