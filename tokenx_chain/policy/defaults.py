"""The rules where an operator has set none: what the platform's own operations need and nothing else. Moving units without
their holder always needs a second person; which amounts of the other powers need one is the operator's to say."""

from typing import Final

from tokenx_chain.operations.keys import ATS_SUBMITTER, PLATFORM
from tokenx_chain.policy.rules import Rule

_COIN: Final = 10**18
_AGENT: Final = ("mint|burn|setAddressFrozen|freezePartialTokens|unfreezePartialTokens|pause|unpause|addAgent|"
                 "batchMint|batchBurn|batchSetAddressFrozen|batchFreezePartialTokens|batchUnfreezePartialTokens")  # fmt: skip

DEFAULT_RULES: Final[tuple[Rule, ...]] = (
    Rule("default.deployment", kind="platform.deploy", key_ref=PLATFORM),
    Rule("default.gas", key_ref=PLATFORM, contract="coin", function="transfer", max_amount=100 * _COIN),
    Rule("default.suite", kind="offering.*", key_ref=PLATFORM, contract="TREXFactory", function="deployTREXSuite"),
    Rule("default.listing", kind="offering.*", key_ref=PLATFORM, contract="Settlement", function="setAsset"),
    Rule("default.identity", kind="investor.*", key_ref=PLATFORM, contract="IdFactory", function="createIdentity*"),
    Rule("default.claim", kind="investor.*", key_ref=PLATFORM, contract="unlisted", function="addClaim|removeClaim"),
    Rule("default.revocation", kind="investor.*", key_ref=PLATFORM, contract="ClaimIssuer", function="revokeClaimBySignature"),
    Rule("default.registry", kind="investor.*", key_ref=PLATFORM, contract="IdentityRegistry",
         function="registerIdentity|batchRegisterIdentity|deleteIdentity|updateIdentity|updateCountry"),
    Rule("default.books", kind="investor.*", key_ref=PLATFORM, contract="HolderRules", function="sync"),
    Rule("default.agent", key_ref=PLATFORM, contract="token:*", function=_AGENT),
    Rule("default.forced", key_ref=PLATFORM, contract="token:*", function="forcedTransfer|batchForcedTransfer", approval_above=0),
    Rule("default.cash", key_ref=PLATFORM, contract="StableCoin", function="mint|burn"),
    Rule("default.rotation", kind="signer.rotate", key_ref=PLATFORM, contract="Settlement|ClaimIssuer|IdentityRegistry|token:*|unlisted",
         function="setOperator|setSubmitter|addKey|removeKey|addAgent|removeAgent"),
    Rule("default.settlement", key_ref=ATS_SUBMITTER, contract="Settlement", function="settleBatch|settleAll|cancel"),
    Rule("default.custody", kind="settlement.*", contract="Settlement", function="setCustodian"),
    Rule("default.allowance", kind="settlement.*", contract="StableCoin|token:*", function="increaseAllowance|decreaseAllowance"),
    Rule("default.holder", contract="StableCoin|token:*", function="transfer|transferFrom|batchTransfer"),
)  # fmt: skip
