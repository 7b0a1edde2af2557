"""What a Fireblocks transaction's status means for us. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from tokenx_chain.signers.errors import BadAnswer
from tokenx_chain.signers.jobs import Signature, SignJob, SignState
from tokenx_common.log import get_logger

log = get_logger(__name__)

PENDING: Final = frozenset(
    {
        "SUBMITTED", "PENDING_AML_SCREENING", "PENDING_ENRICHMENT", "PENDING_AUTHORIZATION", "QUEUED", "PENDING_SIGNATURE",
        "PENDING_3RD_PARTY_MANUAL_APPROVAL", "PENDING_3RD_PARTY", "SIGNED", "BROADCASTING", "CONFIRMING", "CANCELLING",
    }
)  # fmt: skip
DEAD: Final = frozenset({"CANCELLED", "REJECTED", "BLOCKED", "FAILED"})
"""Final without a signature, unless one is there all the same."""


def job_of(job_id: str, body: Mapping[str, Any], *, deadline_over: bool = False) -> SignJob:
    """The job a transaction object describes.

    A signature or a transaction hash makes it SIGNED whatever the status says: bytes that exist may be used by someone. A status
    we do not know is PENDING: only a known final status is proof. Raises BadAnswer."""
    ref, status = _text(body, "id"), _text(body, "status")
    signature, tx_hash = _signature(body), body.get("txHash")
    if signature is not None or (isinstance(tx_hash, str) and tx_hash):
        return SignJob(job_id, SignState.SIGNED, signature, backend_ref=ref, tx_hash=tx_hash or None)
    if status in DEAD:
        reason = " ".join(part for part in (status, str(body.get("subStatus") or "")) if part)
        state = SignState.EXPIRED if status == "CANCELLED" and deadline_over else SignState.REJECTED
        return SignJob(job_id, state, reason=reason, backend_ref=ref)
    if status == "COMPLETED":
        raise BadAnswer(f"Fireblocks transaction {ref} is completed without a signature")
    if status not in PENDING:
        log.error("fireblocks.unknown_status", backend_ref=ref, status=status[:60])
    return SignJob(job_id, SignState.PENDING, backend_ref=ref)


def content_of(body: Mapping[str, Any]) -> object:
    """What the transaction was asked to sign, or None where the answer does not repeat it."""
    extra = body.get("extraParameters")
    raw = cast(Mapping[str, Any], extra).get("rawMessageData") if isinstance(extra, Mapping) else None
    messages = cast(Mapping[str, Any], raw).get("messages") if isinstance(raw, Mapping) else None
    first = _first(messages)
    return first.get("content") if first is not None else None


def _signature(body: Mapping[str, Any]) -> Signature | None:
    signed = _first(body.get("signedMessages"))
    found = signed.get("signature") if signed is not None else None
    if not isinstance(found, Mapping):
        return None
    parts = cast(Mapping[str, Any], found)
    try:
        v = int(parts["v"])
        return Signature(int(str(parts["r"]), 16), int(str(parts["s"]), 16), v - 27 if v >= 27 else v)
    except (KeyError, ValueError, TypeError) as error:
        raise BadAnswer("Fireblocks answered a signature without r, s and v") from error


def _first(items: object) -> Mapping[str, Any] | None:
    if not isinstance(items, Sequence) or isinstance(items, str) or not items:
        return None
    first = cast(Sequence[object], items)[0]
    return cast(Mapping[str, Any], first) if isinstance(first, Mapping) else None


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise BadAnswer(f"Fireblocks answered a transaction without {name}")
    return value
