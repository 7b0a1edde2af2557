"""offering.deploy: one security token with its registries and rules, open for use."""

from typing import Any, Final

from tokenx_chain.contracts.calls import ZERO_ADDRESS
from tokenx_chain.contracts.factory import Suite, SuiteRequest
from tokenx_chain.contracts.identity import KYC_TOPIC
from tokenx_chain.contracts.settlement import AssetKind
from tokenx_chain.operations.context import Context, Step
from tokenx_chain.operations.errors import OperationFailed
from tokenx_chain.operations.keys import PLATFORM
from tokenx_chain.operations.params import DeployOffering
from tokenx_chain.operations.transfer_rules import bindings, is_counted
from tokenx_chain.standards.erc3643 import Erc3643

_SUITE: Final = "suite"


async def deploy(ctx: Context, params: DeployOffering) -> dict[str, Any]:
    """Returns {token, identity_registry, compliance}. The offering's id is the salt, so a second deployment finds the first."""
    standard = Erc3643(ctx.chain)
    suite = await _deployed(ctx, standard, params)
    token = standard.token(suite["token"])
    # Watched before it can move: nothing on this token may happen unseen.
    await ctx.record_contracts({f"token:{params.offering_id}": (suite["token"], {**suite, "symbol": params.symbol})})
    steps: list[Step] = []
    if ctx.was_sent("unpause") or await ctx.read(token.is_paused()):
        steps.append(Step("unpause", token.unpause(), PLATFORM))
    if ctx.was_sent("list") or not await ctx.read(standard.settlement.asset_kind(suite["token"])):
        steps.append(Step("list", standard.settlement.set_asset(suite["token"], AssetKind.SECURITY), PLATFORM))
    await ctx.mined(await ctx.send_all(steps))
    if not await is_counted(ctx, suite["token"]):
        raise OperationFailed("compliance.book_incomplete", "the token had holders before its rules: sync them all")
    return dict(suite)


async def _deployed(ctx: Context, standard: Erc3643, params: DeployOffering) -> dict[str, str]:
    standing = ZERO_ADDRESS if ctx.was_sent(_SUITE) else await ctx.read(standard.suites.token_of(params.offering_id))
    if standing != ZERO_ADDRESS:
        token = standard.token(standing)
        registry, compliance = await ctx.read_all([token.identity_registry(), token.compliance()])
        return {"token": standing, "identity_registry": registry, "compliance": compliance}
    entry = await ctx.send(_SUITE, standard.suites.deploy(await _request(ctx, standard, params)), PLATFORM)
    suite: Suite = standard.suites.deployed((await ctx.mined([entry]))[0].logs)
    return {"token": suite.token, "identity_registry": suite.identity_registry, "compliance": suite.compliance}


async def _request(ctx: Context, standard: Erc3643, params: DeployOffering) -> SuiteRequest:
    platform = await ctx.address(PLATFORM)
    rules = bindings(ctx, params)
    return SuiteRequest(
        salt=params.offering_id,
        name=params.name,
        symbol=params.symbol,
        owner=platform,
        agent=platform,
        storage=ctx.chain.registry.require("IdentityRegistryStorage"),
        claim_topics=[KYC_TOPIC],
        claim_issuer=standard.claim_issuer.address,
        modules=[module for module, _ in rules],
        settings=[setting for _, setting in rules],
    )
