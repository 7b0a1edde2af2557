"""investor.register and investor.unregister: an identity with a KYC claim, and its place in the shared registry."""

from typing import Any, Final

from tokenx_chain.contracts.calls import ZERO_ADDRESS
from tokenx_chain.contracts.identity import KYC_TOPIC, claim_digest
from tokenx_chain.operations.context import Context, Step
from tokenx_chain.operations.errors import OperationFailed
from tokenx_chain.operations.gas import USUAL_GAS, coins, wei_for
from tokenx_chain.operations.keys import CLAIM_ISSUER, PLATFORM
from tokenx_chain.operations.offering import country_number
from tokenx_chain.operations.params import RegisterInvestor, UnregisterInvestor
from tokenx_chain.standards.erc3643 import Erc3643, kyc_claim_data

_CREATE_GAS: Final = 1_000_000
_REGISTER_GAS: Final = 250_000
_START_GAS_FACTOR: Final = 10


async def register(ctx: Context, params: RegisterInvestor) -> dict[str, Any]:
    """Returns {address, identity}. Gas, identity, claim and registration go out in one breath, in this order."""
    standard = Erc3643(ctx.chain)
    country = country_number(params.country)
    wallet = await ctx.address(params.key_ref)
    identity, exists = await _identity(ctx, standard, wallet)
    steps = [Step("gas", coins(wallet, _START_GAS_FACTOR * await wei_for(ctx, USUAL_GAS)), PLATFORM)]
    if not exists:
        platform = await ctx.address(PLATFORM)
        create = standard.identities.create_identity(wallet=wallet, salt=wallet, manager=platform, gas=_CREATE_GAS)
        steps.append(Step("identity", create, PLATFORM))
    signature, data = await signed_claim(ctx, identity, params.investor_id)
    claim = standard.identity(identity).add_kyc_claim(issuer=standard.claim_issuer.address, signature=signature, data=data)  # fmt: skip
    steps.append(Step("claim", claim, PLATFORM))
    registry = standard.registry()
    if ctx.was_sent("register") or not await ctx.read(registry.contains(wallet)):
        entry = registry.register(wallet=wallet, identity=identity, country=country, gas=_REGISTER_GAS)
        steps.append(Step("register", entry, PLATFORM))
    await ctx.mined(await ctx.send_all(steps))
    if not await ctx.read(registry.is_verified(wallet)):
        raise OperationFailed("identity.not_verified", "registered, but the registry does not accept the claim")
    return {"address": wallet, "identity": identity}


async def _identity(ctx: Context, standard: Erc3643, wallet: str) -> tuple[str, bool]:
    """(address, whether it exists). The address of one that does not exist yet comes from trying its creation out."""
    existing = await ctx.read(standard.identities.identity_of(wallet))
    if existing != ZERO_ADDRESS:
        return existing, not ctx.was_sent("identity")
    platform = await ctx.address(PLATFORM)
    answer = await ctx.simulate(standard.identities.create_identity(wallet=wallet, salt=wallet, manager=platform), PLATFORM)  # fmt: skip
    return "0x" + answer[-20:].hex(), False


async def signed_claim(ctx: Context, identity: str, investor_id: str) -> tuple[bytes, bytes]:
    """(signature, data) of the KYC claim. Signing is deterministic, so the same claim can be revoked later without storing it."""
    data = kyc_claim_data(chain_id=ctx.chain.network.chain_id, investor_id=investor_id)
    digest = claim_digest(identity=identity, topic=KYC_TOPIC, data=data)
    return await ctx.chain.signer.sign_message(CLAIM_ISSUER, digest), data


async def unregister(ctx: Context, params: UnregisterInvestor) -> dict[str, Any]:
    """Revoke the claim and take the wallet off the registry. Returns {address}.

    Refused while the wallet holds tokens: without an identity they could be neither burned nor moved by an agent."""
    standard = Erc3643(ctx.chain)
    wallet = await ctx.address(params.key_ref)
    if not ctx.was_sent("delete"):
        held = await ctx.read_all([standard.token(token).balance(wallet) for token in ctx.chain.registry.tokens()])
        if any(held):
            raise OperationFailed("identity.holds_tokens", "the wallet still holds tokens")
    identity = await identity_behind(ctx, standard, wallet)
    signature, _ = await signed_claim(ctx, identity, params.investor_id)
    steps: list[Step] = []
    if ctx.was_sent("revoke") or not await ctx.read(standard.claim_issuer.is_revoked(signature)):
        steps.append(Step("revoke", standard.claim_issuer.revoke(signature), PLATFORM))
    if ctx.was_sent("delete") or await ctx.read(standard.registry().contains(wallet)):
        steps.append(Step("delete", standard.registry().delete(wallet), PLATFORM))
    await ctx.mined(await ctx.send_all(steps))
    return {"address": wallet}


async def identity_behind(ctx: Context, standard: Erc3643, wallet: str) -> str:
    """The identity of a wallet: by the registry, which knows recovered wallets too; of one taken off it, by the factory.

    Raises OperationFailed when there is none."""
    by_registry, by_factory = await ctx.read_all([standard.registry().identity_of(wallet), standard.identities.identity_of(wallet)])  # fmt: skip
    identity = by_factory if by_registry == ZERO_ADDRESS else by_registry
    if identity == ZERO_ADDRESS:
        raise OperationFailed("identity.not_registered", "the wallet has no identity")
    return identity
