"""investor.revoke: an investor's KYC no longer counts, on any token of the chain, and nothing he can do brings it back.

Three locks, because each alone leaves a way: the claim's signature is revoked, the wallet frozen on every token, and the wallet taken off the
registry once it holds nothing. The fourth is the api's: it denies the investor everything."""

from typing import Any, Final

from eth_utils.crypto import keccak

from tokenx_chain.contracts.claims import SIGNATURE_BYTES, Claims
from tokenx_chain.contracts.identity import KYC_TOPIC
from tokenx_chain.operations.context import Context, Step
from tokenx_chain.operations.errors import OperationFailed
from tokenx_chain.operations.investor import identity_behind, signed_claim
from tokenx_chain.operations.params import RevokeInvestor
from tokenx_chain.standards.erc3643 import Erc3643
from tokenx_chain.standards.protocol import Keys

_KEYS: Final = Keys()
_CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


async def revoke(ctx: Context, params: RevokeInvestor) -> dict[str, Any]:
    """Returns {address, identity, removed, held: {token: units}}. removed is false while the wallet holds units: without an identity nobody
    could burn or move them. Ask again after they are gone."""
    standard = Erc3643(ctx.chain)
    wallet, tokens = params.wallet, ctx.chain.registry.tokens()
    identity = await identity_behind(ctx, standard, wallet)
    frozen = await ctx.read_all([standard.token(token).is_frozen(wallet) for token in tokens])
    steps = [
        Step(f"freeze:{token}", standard.token(token).set_frozen(holder=wallet, frozen=True), _KEYS.token_agent)
        for token, is_frozen in zip(tokens, frozen, strict=True)
        if not is_frozen or ctx.was_sent(f"freeze:{token}")
    ]
    await ctx.mined(await ctx.send_all(steps + await _revocations(ctx, standard, identity, params.investor_id)))
    held = await _held(ctx, standard, wallet, tokens)
    removed = await _remove(ctx, standard, wallet, may=not held)
    if await ctx.read(standard.registry().is_verified(wallet)):
        raise OperationFailed("identity.still_verified", "another claim of the identity still counts")
    return {"address": wallet, "identity": identity, "removed": removed, "held": held}


async def _revocations(ctx: Context, standard: Erc3643, identity: str, investor_id: str) -> list[Step]:
    """Of the signature as we make it, and of the one the identity shows: a signer may not make the same twice."""
    issuer = standard.claim_issuer
    signature, _ = await signed_claim(ctx, identity, investor_id)
    claims = Claims(ctx.chain.artifacts.abi("Identity"), identity)
    shown = await ctx.read(claims.signature(topic=KYC_TOPIC, issuer=issuer.address))
    forms = list(
        dict.fromkeys(form for one in (signature, shown) if len(one) == SIGNATURE_BYTES for form in spellings(one))
    )
    revoked = await ctx.read_all([issuer.is_revoked(form) for form in forms])
    names = [f"revoke:{keccak(form).hex()[:16]}" for form in forms]
    return [
        Step(name, issuer.revoke(form), _KEYS.claim_manager)
        for name, form, is_revoked in zip(names, forms, revoked, strict=True)
        if not is_revoked or ctx.was_sent(name)
    ]


async def _held(ctx: Context, standard: Erc3643, wallet: str, tokens: list[str]) -> dict[str, str]:
    units = await ctx.read_all([standard.token(token).balance(wallet) for token in tokens])
    return {token: str(held) for token, held in zip(tokens, units, strict=True) if held}


async def _remove(ctx: Context, standard: Erc3643, wallet: str, *, may: bool) -> bool:
    """Off the registry, if it may be; whether it is off now."""
    is_there = await ctx.read(standard.registry().contains(wallet))
    if ctx.was_sent("delete") or (is_there and may):
        await ctx.mined([await ctx.send("delete", standard.registry().delete(wallet), _KEYS.registry_agent)])
        return True
    return not is_there


def spellings(signature: bytes) -> list[bytes]:
    """All the ways to write one ECDSA signature of 65 bytes (r, s, v): two values of s, and v with or without its offset of 27. The given one first."""
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64] % 27
    pairs = [(s, v), (_CURVE_ORDER - s, 1 - v)]
    forms = [r + value.to_bytes(32, "big") + bytes([parity + offset]) for value, parity in pairs for offset in (27, 0)]
    return sorted(forms, key=lambda form: form != signature)
