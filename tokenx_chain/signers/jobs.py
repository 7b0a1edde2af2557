"""The shapes between the service and a backend: requests in, jobs out. All frozen; amounts in wei; addresses lower case with 0x."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, Final, Literal

from tokenx_chain.signers.base import UnsignedTransaction
from tokenx_chain.signers.encoding import message_digest, transaction_digest, typed_data_digest
from tokenx_chain.signers.errors import SignerRefused

KEY_REF: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}(:[A-Za-z0-9_-]{1,64})?(@[1-9][0-9]{0,3})?")
"""'platform', 'investor:inv_…', and a version after a rotation: 'platform@2'. Also a safe file name and a safe key alias."""
JOB_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9:._-]{0,127}")

Backend = Literal["local", "fireblocks", "aws_kms"]
Context = tuple[tuple[str, str], ...]
"""Facts for whoever approves: (name, value) pairs, e.g. ('operation', 'token.mint')."""


class SignState(StrEnum):
    """PENDING is the only state that can change. REJECTED and EXPIRED are proof that there is no signature."""

    PENDING = "pending"
    SIGNED = "signed"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Capabilities:
    """What a backend can do. max_inflight: jobs it should be given at the same time."""

    raw_digest: bool
    typed_data: bool
    contract_call: bool
    is_sync: bool
    deterministic: bool
    max_inflight: int
    webhooks: bool


@dataclass(frozen=True)
class Signature:
    """An ECDSA signature on secp256k1, as the backend gave it. y_parity None: the backend does not tell, recovery will."""

    r: int
    s: int
    y_parity: int | None


@dataclass(frozen=True, kw_only=True)
class _Request:
    """job_id names the attempt for ever: the same id with the same content is the same job."""

    job_id: str
    key_ref: str
    intent_id: str = ""
    policy_context: Context = ()
    deadline: datetime | None = None

    def __post_init__(self) -> None:
        if not JOB_ID.fullmatch(self.job_id):
            raise SignerRefused(f"job_id must match {JOB_ID.pattern}, was {self.job_id[:140]!r}")
        check_key_ref(self.key_ref)


@dataclass(frozen=True, kw_only=True)
class SignRequest(_Request):
    """Sign an EIP-1559 transaction."""

    transaction: UnsignedTransaction

    @cached_property
    def digest(self) -> bytes:
        """32 bytes: what the curve signs."""
        return transaction_digest(self.transaction)


@dataclass(frozen=True, kw_only=True)
class TypedDataRequest(_Request):
    """Sign EIP-712 data: {types, primaryType, domain, message}. Not to be changed after it was handed over."""

    typed_data: Mapping[str, Any] = field(hash=False)

    @cached_property
    def plain(self) -> dict[str, Any]:
        """The data as JSON has it: bytes become 0x-hexadecimal. Raises SignerRefused."""
        try:
            return json.loads(json.dumps(dict(self.typed_data), default=_hex))
        except (TypeError, ValueError, RecursionError) as error:
            raise SignerRefused(f"not EIP-712 data: {type(error).__name__}") from error

    @cached_property
    def digest(self) -> bytes:
        """32 bytes. Raises SignerRefused for data that is not EIP-712."""
        return typed_data_digest(self.plain)


@dataclass(frozen=True, kw_only=True)
class MessageRequest(_Request):
    """Sign an EIP-191 personal message, given without its prefix."""

    message: bytes

    @cached_property
    def digest(self) -> bytes:
        """32 bytes."""
        return message_digest(self.message)


AnyRequest = SignRequest | TypedDataRequest | MessageRequest


@dataclass(frozen=True, kw_only=True)
class ContractCallRequest(_Request):
    """Let the backend build, sign and send a call itself. It owns nonce, fee and replacement then. value_wei in wei."""

    chain_id: int
    to: str
    data: bytes
    value_wei: int = 0


@dataclass(frozen=True)
class SignJob:
    """Where a job stands. SIGNED carries the signature (or, for a contract call, the transaction hash); the dead states a reason.

    backend_ref: the backend's own id, for people who look it up there."""

    job_id: str
    state: SignState
    signature: Signature | None = None
    reason: str | None = None
    backend_ref: str | None = None
    tx_hash: str | None = None


@dataclass(frozen=True)
class SignerHealth:
    """ok, and one sentence for the health page."""

    ok: bool
    detail: str


def _hex(value: object) -> str:
    if isinstance(value, bytes | bytearray):
        return "0x" + bytes(value).hex()
    raise TypeError(type(value).__name__)


def check_key_ref(key_ref: str) -> None:
    """Raises SignerRefused for a name no backend could hold."""
    if not KEY_REF.fullmatch(key_ref):
        raise SignerRefused(f"key_ref must match {KEY_REF.pattern}, was {key_ref[:140]!r}")
