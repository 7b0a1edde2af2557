"""KYC claims: making one, finding those that were made, and revoking them.

A signer need not make the same signature twice, so what was signed once is never made again to be revoked: the signatures come from what the
registration reported and from the claim the identity shows."""

from collections.abc import Sequence
from typing import Final

from eth_utils.crypto import keccak

from tokenx_chain.contracts.claims import SIGNATURE_BYTES, Claims
from tokenx_chain.contracts.identity import KYC_TOPIC, claim_digest
from tokenx_chain.operations.context import Context, Step
from tokenx_chain.operations.keys import CLAIM_ISSUER
from tokenx_chain.standards.erc3643 import Erc3643, kyc_claim_data
from tokenx_chain.standards.protocol import Keys

_KEYS: Final = Keys()
_CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


async def signed_claim(ctx: Context, identity: str, investor_id: str, serial: int) -> tuple[bytes, bytes]:
    """(signature, data) of a new KYC claim."""
    data = kyc_claim_data(chain_id=ctx.chain.network.chain_id, investor_id=investor_id, serial=serial)
    digest = claim_digest(identity=identity, topic=KYC_TOPIC, data=data)
    return await ctx.chain.signer.sign_message(ctx.chain.key(CLAIM_ISSUER), digest), data


async def shown_signature(ctx: Context, standard: Erc3643, identity: str) -> bytes:
    """Of the KYC claim the identity shows, empty when it shows none. Only the platform manages identities, so it is the one we wrote."""
    claims = Claims(ctx.chain.artifacts.abi("Identity"), identity)
    return await ctx.read(claims.signature(topic=KYC_TOPIC, issuer=standard.claim_issuer.address))


async def revocations(ctx: Context, standard: Erc3643, identity: str, signatures: Sequence[str]) -> list[Step]:
    """A step for each way to write each signature that is not revoked yet: those given, and the one the identity shows."""
    issuer = standard.claim_issuer
    known = [bytes.fromhex(text[2:]) for text in signatures] + [await shown_signature(ctx, standard, identity)]
    forms = list(dict.fromkeys(form for one in known if len(one) == SIGNATURE_BYTES for form in spellings(one)))
    revoked = await ctx.read_all([issuer.is_revoked(form) for form in forms]) if forms else []
    names = [f"revoke:{keccak(form).hex()[:16]}" for form in forms]
    return [
        Step(name, issuer.revoke(form), _KEYS.claim_manager)
        for name, form, is_revoked in zip(names, forms, revoked, strict=True)
        if not is_revoked or ctx.was_sent(name)
    ]


def spellings(signature: bytes) -> list[bytes]:
    """All the ways to write one ECDSA signature of 65 bytes (r, s, v): two values of s, and v with or without its offset of 27. The given one first."""
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64] % 27
    pairs = [(s, v), (_CURVE_ORDER - s, 1 - v)]
    forms = [r + value.to_bytes(32, "big") + bytes([parity + offset]) for value, parity in pairs for offset in (27, 0)]
    return sorted(forms, key=lambda form: form != signature)
