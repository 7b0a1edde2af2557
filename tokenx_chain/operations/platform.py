"""platform.deploy: everything a chain needs once. All transactions go out in one breath; addresses are known from the nonces."""

from dataclasses import dataclass
from typing import Any, Final

from tokenx_chain.contracts.calls import ZERO_ADDRESS, Call
from tokenx_chain.contracts.factory import ImplementationAuthority
from tokenx_chain.contracts.identity import KYC_TOPIC, ClaimIssuer, IdentityFactory
from tokenx_chain.contracts.identity_registry import ClaimTopics, IdentityRegistry, IdentityStorage, TrustedIssuers
from tokenx_chain.contracts.settlement import AssetKind, Settlement
from tokenx_chain.contracts.stablecoin import StableCoin
from tokenx_chain.journal import JournaledTransaction
from tokenx_chain.operations.context import Context, Step, created_address
from tokenx_chain.operations.gas import USUAL_GAS, coins, wei_for
from tokenx_chain.operations.keys import ATS_OPERATOR, ATS_SUBMITTER, CLAIM_ISSUER, PLATFORM, TREASURY
from tokenx_chain.operations.params import Nothing

RULES: Final = ("CountryBlock", "CountryAllow", "HolderRules", "VolumeWindow", "ExchangeLimit")
"""Compliance modules; one instance of each serves every token. HolderRules stands for the four rules that count holders."""
NAMES: Final = (
    "TREXFactory", "IdFactory", "TREXImplementationAuthority", "ImplementationAuthority", "ClaimIssuer", "IdentityRegistry",
    "IdentityRegistryStorage", "TrustedIssuersRegistry", "ClaimTopicsRegistry", "StableCoin", "Settlement", "TransferLens",
    *RULES,
)  # fmt: skip
"""What platform.deploy leaves behind, by name in chain.contracts."""

_DEV_TREASURY_FLOAT: Final = 10_000_000 * 10**6
"""Test dollars in the treasury of a development chain, in base units, so that redemptions can be paid."""
_FLOAT: Final = "treasury-float"
_SUBMITTER_GAS: Final = 15_000_000
_MAX_FEE_BPS: Final = 100
"""The most a fill's fees may be of its payments, in hundredths of a percent; the contract never takes more than a tenth."""


@dataclass
class _Deployment:
    """Sends creations and calls in order and remembers them."""

    ctx: Context
    sent: list[JournaledTransaction]

    async def create(self, artifact: str, *args: Any, step: str | None = None) -> str:
        """The new contract's address, known before it is mined."""
        call = self.ctx.chain.artifacts[artifact].deployment(*args)
        entry = await self.ctx.send(step or f"create:{artifact}", call, PLATFORM)
        self.sent.append(entry)
        return created_address(entry)

    async def calls(self, calls: dict[str, Call]) -> None:
        """Calls by step name, in order."""
        self.sent += await self.ctx.send_all([Step(name, call, PLATFORM) for name, call in calls.items()])


async def deploy(ctx: Context, _params: Nothing) -> dict[str, Any]:
    """Returns {"contracts": {name: address}}. Where the platform already stands, answers what is there and sends nothing."""
    async with ctx.chain.deploying:
        contracts = {name: address for name in NAMES if (address := ctx.chain.registry.address(name))}
        if len(contracts) < len(NAMES):
            contracts = await _create_all(ctx)
        if ctx.chain.network.is_dev:
            await _fill_treasury(ctx, contracts["StableCoin"])
        return {"contracts": contracts}


async def _create_all(ctx: Context) -> dict[str, str]:
    """Every contract by name, recorded once all are mined."""
    work = _Deployment(ctx, [])
    contracts = await _suite_factory(work)
    contracts |= await _identity(work, contracts)
    contracts |= await _shared_registry(work, contracts)
    contracts |= await _own(work)
    await _fund(work)
    await ctx.mined(work.sent)
    await ctx.record_contracts({name: (contracts[name], {}) for name in NAMES})
    return {name: contracts[name] for name in NAMES}


async def _suite_factory(work: _Deployment) -> dict[str, str]:
    """The code behind the suites and the factory that makes them."""
    token, topics, registry, storage, issuers, compliance = [
        await work.create(name)
        for name in ("Token", "ClaimTopicsRegistry", "IdentityRegistry", "IdentityRegistryStorage", "TrustedIssuersRegistry", "ModularCompliance")
    ]  # fmt: skip
    platform = await work.ctx.address(PLATFORM)
    identity = await work.create("Identity", platform, True)  # True: code only, nobody's identity
    identity_authority = await work.create("ImplementationAuthority", identity)
    id_factory = await work.create("IdFactory", identity_authority)
    authority_address = await work.create("TREXImplementationAuthority", True, ZERO_ADDRESS, ZERO_ADDRESS)
    authority = ImplementationAuthority(work.ctx.chain.artifacts.abi("TREXImplementationAuthority"), authority_address)
    await work.calls({"use-version": authority.use(token=token, claim_topics=topics, registry=registry, storage=storage,
                                                   trusted_issuers=issuers, compliance=compliance)})  # fmt: skip
    factory = await work.create("TREXFactory", authority_address, id_factory)
    ids = IdentityFactory(work.ctx.chain.artifacts.abi("IdFactory"), id_factory)
    await work.calls(
        {"add-token-factory": ids.add_token_factory(factory), "set-factory": authority.set_factory(factory)}
    )
    return {"TREXFactory": factory, "IdFactory": id_factory, "TREXImplementationAuthority": authority_address, "ImplementationAuthority": identity_authority}  # fmt: skip


async def _identity(work: _Deployment, _contracts: dict[str, str]) -> dict[str, str]:
    """The KYC provider's contract and its signing key."""
    issuer = await work.create("ClaimIssuer", await work.ctx.address(PLATFORM))
    contract = ClaimIssuer(work.ctx.chain.artifacts.abi("ClaimIssuer"), issuer)
    await work.calls({"add-claim-signer": contract.add_signer(await work.ctx.address(CLAIM_ISSUER))})
    return {"ClaimIssuer": issuer}


async def _shared_registry(work: _Deployment, contracts: dict[str, str]) -> dict[str, str]:
    """One investor table for all tokens of the chain, and the registry through which we fill it.

    The factory must own the table, because it binds the registry of each new token to it."""
    abi, authority = work.ctx.chain.artifacts.abi, contracts["TREXImplementationAuthority"]
    issuers = await work.create("TrustedIssuersRegistryProxy", authority)
    topics = await work.create("ClaimTopicsRegistryProxy", authority)
    storage = await work.create("IdentityRegistryStorageProxy", authority)
    registry = await work.create("IdentityRegistryProxy", authority, issuers, topics, storage)
    table = IdentityStorage(abi("IdentityRegistryStorage"), storage)
    await work.calls({
        "require-kyc": ClaimTopics(abi("ClaimTopicsRegistry"), topics).require(KYC_TOPIC),
        "trust-issuer": TrustedIssuers(abi("TrustedIssuersRegistry"), issuers).trust(contracts["ClaimIssuer"], topics=[KYC_TOPIC]),
        "bind-registry": table.bind(registry),
        "hand-over-storage": table.transfer_ownership(contracts["TREXFactory"]),
        "registry-agent": IdentityRegistry(abi("IdentityRegistry"), registry).add_agent(await work.ctx.address(PLATFORM)),
    })  # fmt: skip
    return {"IdentityRegistry": registry, "IdentityRegistryStorage": storage, "TrustedIssuersRegistry": issuers, "ClaimTopicsRegistry": topics}  # fmt: skip


async def _own(work: _Deployment) -> dict[str, str]:
    """Our own contracts."""
    ctx = work.ctx
    platform, operator, submitter, treasury = [await ctx.address(key) for key in (PLATFORM, ATS_OPERATOR, ATS_SUBMITTER, TREASURY)]  # fmt: skip
    coin = await work.create("TestUSD", platform)
    contract = Settlement(ctx.chain.artifacts.abi("Settlement"), await work.create("Settlement", platform))
    await work.calls({
        "settlement-operator": contract.set_operator(operator, allowed=True),
        "settlement-submitter": contract.set_submitter(submitter, allowed=True),
        "settlement-cash": contract.set_asset(coin, AssetKind.CASH),
        "settlement-fee-collector": contract.set_fee_collector(treasury, allowed=True),
        "settlement-max-fee": contract.set_max_fee_bps(_MAX_FEE_BPS),
    })  # fmt: skip
    others = {name: await work.create(name) for name in ("TransferLens", *RULES)}
    return {"StableCoin": coin, "Settlement": contract.address, **others}


async def _fund(work: _Deployment) -> None:
    """Gas for the platform's other keys."""
    ctx = work.ctx
    submitter, treasury = await ctx.address(ATS_SUBMITTER), await ctx.address(TREASURY)
    await work.calls({
        "gas:ats-submitter": coins(submitter, await wei_for(ctx, _SUBMITTER_GAS)),
        "gas:treasury": coins(treasury, await wei_for(ctx, USUAL_GAS)),
    })  # fmt: skip


async def _fill_treasury(ctx: Context, coin_address: str) -> None:
    """Cash for an empty treasury, once the coin is recorded: units made before that would be in nobody's register."""
    coin, treasury = StableCoin(ctx.chain.artifacts.abi("TestUSD"), coin_address), await ctx.address(TREASURY)
    if ctx.was_sent(_FLOAT) or not await ctx.read(coin.balance(treasury)):
        await ctx.mined(
            [await ctx.send(_FLOAT, coin.mint(to=treasury, amount=_DEV_TREASURY_FLOAT, gas=150_000), PLATFORM)]
        )
