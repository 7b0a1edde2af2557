"""investor.register and investor.unregister: an identity with a KYC claim, and its place in the shared registry."""

from typing import Any, Final

from tokenx_chain.contracts.calls import ZERO_ADDRESS
from tokenx_chain.contracts.claims import RegistryUpdates
from tokenx_chain.contracts.identity import KYC_TOPIC
from tokenx_chain.operations.acts import step
from tokenx_chain.operations.claims import revocations, shown_signature, signed_claim
from tokenx_chain.operations.context import Context, Step
from tokenx_chain.operations.errors import OperationFailed
from tokenx_chain.operations.gas import USUAL_GAS, coins, wei_for
from tokenx_chain.operations.keys import PLATFORM
from tokenx_chain.operations.params import RegisterInvestor, UnregisterInvestor
from tokenx_chain.operations.transfer_rules import country_number, sync
from tokenx_chain.standards.erc3643 import Erc3643

_CREATE_GAS: Final = 1_000_000
_CLAIM_GAS: Final = 800_000
_REGISTER_GAS: Final = 250_000
_START_GAS_FACTOR: Final = 10


async def register(ctx: Context, params: RegisterInvestor) -> dict[str, Any]:
    """Returns {address, identity, signature}, the last of the claim that counts from now on: what a revocation needs.

    Gas, identity, claim and registration go out in one breath, in this order. Of a wallet that is registered already, the country is
    brought up to date, and the rules that count holders look at it again."""
    standard = Erc3643(ctx.chain)
    country = country_number(params.country)
    wallet = await ctx.address(params.key_ref)
    identity, exists = await _identity(ctx, standard, wallet, params.identity)
    steps = [Step("gas", coins(wallet, _START_GAS_FACTOR * await wei_for(ctx, USUAL_GAS)), PLATFORM)]
    if not exists:
        platform = await ctx.address(PLATFORM)
        steps.append(await step(ctx, "identity", lambda to: to.create_identity(wallet=wallet, manager=platform), gas=_CREATE_GAS))  # fmt: skip
    steps.append(await _claim(ctx, standard, identity, params))
    registry = standard.registry()
    if ctx.was_sent("register") or not await ctx.read(registry.contains(wallet)):
        steps.append(await step(ctx, "register", lambda to: to.register_identity(wallet=wallet, identity=identity, country=country), gas=_REGISTER_GAS))  # fmt: skip
    elif ctx.was_sent("country") or await ctx.read(_updates(ctx, registry.address).country_of(wallet)) != country:
        steps.append(await step(ctx, "country", lambda to: to.update_country(wallet=wallet, country=country)))
    await ctx.mined(await ctx.send_all(steps))
    if not await ctx.read(registry.is_verified(wallet)):
        raise OperationFailed("identity.not_verified", "registered, but the registry does not accept the claim")
    await sync(ctx, wallet)
    signature = await shown_signature(ctx, standard, identity)
    return {"address": wallet, "identity": identity, "signature": "0x" + signature.hex()}


def _updates(ctx: Context, registry: str) -> RegistryUpdates:
    return RegistryUpdates(ctx.chain.artifacts.abi("IdentityRegistry"), registry)


async def _claim(ctx: Context, standard: Erc3643, identity: str, params: RegisterInvestor) -> Step:
    """In a re-run nothing is signed again: the claim that went out is the one that counts."""
    issuer, signature, data = standard.claim_issuer.address, b"", b""
    if not ctx.was_sent("claim"):
        signature, data = await signed_claim(ctx, identity, params.investor_id, params.claim_serial)
    return await step(ctx, "claim", lambda to: to.add_claim(identity, topic=KYC_TOPIC, issuer=issuer, signature=signature, data=data), gas=_CLAIM_GAS)  # fmt: skip


async def _identity(ctx: Context, standard: Erc3643, wallet: str, known: str | None) -> tuple[str, bool]:
    """(address, whether it exists). The factory knows first wallets only: a recovered one comes with its identity. The address of one that
    does not exist yet comes from trying its creation out."""
    existing = await ctx.read(standard.identities.identity_of(wallet))
    if existing != ZERO_ADDRESS:
        return existing, not ctx.was_sent("identity")
    if known is not None:
        return known, True
    platform = await ctx.address(PLATFORM)
    answer = await ctx.simulate(standard.identities.create_identity(wallet=wallet, salt=wallet, manager=platform), PLATFORM)  # fmt: skip
    return "0x" + answer[-20:].hex(), False


async def unregister(ctx: Context, params: UnregisterInvestor) -> dict[str, Any]:
    """Revoke the claim and take the wallet off the registry. Returns {address}.

    Refused while the wallet holds tokens: without an identity they could be neither burned nor moved by an agent."""
    standard = Erc3643(ctx.chain)
    wallet = await ctx.address(params.key_ref)
    deletion: list[Step] = []
    if ctx.was_sent("delete") or await ctx.read(standard.registry().contains(wallet)):
        deletion.append(await step(ctx, "delete", lambda to: to.remove_identity(wallet)))
    identity = await identity_behind(ctx, standard, wallet)
    steps = await revocations(ctx, standard, identity, params.signatures)
    await ctx.mined(await ctx.send_all(steps + deletion))
    return {"address": wallet}


async def identity_behind(ctx: Context, standard: Erc3643, wallet: str) -> str:
    """The identity of a wallet: by the registry, which knows recovered wallets too; of one taken off it, by the factory.

    Raises OperationFailed when there is none."""
    by_registry, by_factory = await ctx.read_all([standard.registry().identity_of(wallet), standard.identities.identity_of(wallet)])  # fmt: skip
    identity = by_factory if by_registry == ZERO_ADDRESS else by_registry
    if identity == ZERO_ADDRESS:
        raise OperationFailed("identity.not_registered", "the wallet has no identity")
    return identity
