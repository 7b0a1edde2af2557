"""AwsKmsSigner: secp256k1 keys inside AWS KMS. The key never leaves it; we send digests and get DER signatures back."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, Final, Protocol, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from tokenx_chain.signers.assembler import checked
from tokenx_chain.signers.curve import address_of, from_der
from tokenx_chain.signers.deadlines import expired, is_over
from tokenx_chain.signers.errors import (
    BadAnswer,
    NotSupported,
    SignerConfigError,
    SignerRefused,
    SignerUnavailable,
    UnknownKey,
)
from tokenx_chain.signers.jobs import (
    AnyRequest,
    Backend,
    Capabilities,
    ContractCallRequest,
    MessageRequest,
    SignerHealth,
    SignJob,
    SignRequest,
    SignState,
    TypedDataRequest,
    check_key_ref,
)
from tokenx_chain.signers.ledger import JobLedger
from tokenx_chain.signers.settings import SignerSettings, service_url
from tokenx_common.clock import Clock, SystemClock
from tokenx_common.log import get_logger

log = get_logger(__name__)

CONNECT_TIMEOUT_S: Final = 3
READ_TIMEOUT_S: Final = 5
ATTEMPTS: Final = 3
MAX_INFLIGHT: Final = 16
KEY_SPEC: Final = "ECC_SECG_P256K1"
ALGORITHM: Final = "ECDSA_SHA_256"

_MISSING: Final = frozenset({"NotFoundException"})
_REFUSED: Final = frozenset({"InvalidKeyUsageException", "ValidationException"})
_FOR_PEOPLE: Final = frozenset({"AccessDeniedException", "DisabledException", "KMSInvalidStateException", "InvalidGrantTokenException",
                                "UnrecognizedClientException", "ExpiredTokenException", "InvalidSignatureException"})  # fmt: skip
"""Somebody must give a permission back or enable the key. Until then transactions wait: none of this says anything about them."""


class KmsClient(Protocol):
    """The part of botocore's KMS client we use. Signing is repeatable, so its own retries are safe."""

    def get_public_key(self, *, KeyId: str) -> dict[str, Any]: ...  # the service's name

    def sign(self, *, KeyId: str, Message: bytes, MessageType: str, SigningAlgorithm: str) -> dict[str, Any]: ...

    def close(self) -> None: ...


class AwsKmsSigner:
    """Signs at once, in worker threads. The nonce of ECDSA is random in KMS: the same digest gives another signature after a restart,
    so a signature counts only once it is journaled."""

    def __init__(
        self, client: KmsClient, *, keys: Mapping[str, str], alias_prefix: str, clock: Clock | None = None
    ) -> None:
        self._client = client
        self._keys = dict(keys)
        self._alias_prefix = alias_prefix
        self._clock = clock or SystemClock()
        self._ledger = JobLedger()
        self._known: dict[str, tuple[str, str]] = {}

    @property
    def backend(self) -> Backend:
        return "aws_kms"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(raw_digest=True, typed_data=True, contract_call=False, is_sync=True, deterministic=False,
                            max_inflight=MAX_INFLIGHT, webhooks=False)  # fmt: skip

    async def health(self) -> SignerHealth:
        key_ref = next(iter(self._keys), "platform")
        try:
            arn, address = await self._look_up(key_ref)
        except (SignerUnavailable, UnknownKey, SignerRefused, BadAnswer) as error:
            return SignerHealth(ok=False, detail=error.detail)
        return SignerHealth(ok=True, detail=f"{key_ref} is {address}, {arn}")

    async def address(self, key_ref: str) -> str:
        return (await self._pinned(key_ref))[1]

    async def submit(self, request: SignRequest) -> SignJob:
        return await self._sign(request)

    async def sign_typed_data(self, request: TypedDataRequest) -> SignJob:
        return await self._sign(request)

    async def sign_message(self, request: MessageRequest) -> SignJob:
        return await self._sign(request)

    async def submit_contract_call(self, request: ContractCallRequest) -> SignJob:
        raise NotSupported("AWS KMS sends nothing")

    async def poll(self, job_id: str) -> SignJob:
        return self._ledger.get(job_id)

    async def on_webhook(self, headers: Mapping[str, str], raw: bytes) -> Sequence[SignJob]:
        raise NotSupported("AWS KMS sends no webhooks")

    async def cancel(self, job_id: str) -> SignJob:
        return self._ledger.get(job_id)

    async def close(self) -> None:
        self._client.close()

    def key_id(self, key_ref: str) -> str:
        """AWS_KMS_KEYS first, else an alias: 'investor:inv_1@2' is alias/tokenx/investor/inv_1/v2."""
        check_key_ref(key_ref)
        return self._keys.get(key_ref) or self._alias_prefix + key_ref.replace(":", "/").replace("@", "/v")

    async def _sign(self, request: AnyRequest) -> SignJob:
        digest = request.digest
        known = self._ledger.find(request.job_id, digest=digest, key_ref=request.key_ref)
        if known is not None:
            return known
        if is_over(request, self._clock):
            return self._ledger.keep(expired(request.job_id), digest=digest, key_ref=request.key_ref)
        arn, address = await self._pinned(request.key_ref)
        answer = await self._call(
            lambda: self._client.sign(KeyId=arn, Message=digest, MessageType="DIGEST", SigningAlgorithm=ALGORITHM)
        )
        # Parity by recovery: the service does it again, but a wrong key should be noticed where its name is known.
        signature = checked(digest, from_der(_bytes(answer, "Signature")), address=address)
        job = SignJob(request.job_id, SignState.SIGNED, signature, backend_ref=arn)
        # Two calls for one job may have been under way: the first to arrive is the job's signature.
        earlier = self._ledger.find(request.job_id, digest=digest, key_ref=request.key_ref)
        return earlier or self._ledger.keep(job, digest=digest, key_ref=request.key_ref)

    async def _pinned(self, key_ref: str) -> tuple[str, str]:
        """(ARN, address), asked once: an alias that is moved later must not change an address under a running service."""
        if key_ref not in self._known:
            self._known[key_ref] = await self._look_up(key_ref)
        return self._known[key_ref]

    async def _look_up(self, key_ref: str) -> tuple[str, str]:
        key_id = self.key_id(key_ref)
        answer = await self._call(lambda: self._client.get_public_key(KeyId=key_id))
        spec, usage = answer.get("KeySpec"), answer.get("KeyUsage")
        if spec != KEY_SPEC or usage != "SIGN_VERIFY":
            raise UnknownKey(f"{key_id} is {spec} for {usage}, needs {KEY_SPEC} for SIGN_VERIFY")
        arn = answer.get("KeyId")
        if not isinstance(arn, str):
            raise BadAnswer("GetPublicKey answered no KeyId")
        return arn, address_of(_point(_bytes(answer, "PublicKey")))

    async def _call(self, call: Any) -> dict[str, Any]:
        """One call in a thread. botocore's errors become ours; none of theirs carries a credential."""
        errors = import_module("botocore.exceptions")
        try:
            return await asyncio.to_thread(call)
        except errors.ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", "?"))
            if code in _MISSING:
                raise UnknownKey(f"AWS KMS: {code}") from None
            if code in _REFUSED:
                raise SignerRefused(f"AWS KMS: {code}") from None
            if code in _FOR_PEOPLE:
                log.error("aws_kms.not_allowed", code=code)
            raise SignerUnavailable(f"AWS KMS: {code}") from None
        except errors.BotoCoreError as error:
            raise SignerUnavailable(f"AWS KMS: {type(error).__name__}") from None


def _bytes(answer: Mapping[str, Any], name: str) -> bytes:
    value = answer.get(name)
    if not isinstance(value, bytes):
        raise BadAnswer(f"AWS KMS answered no {name}")
    return value


def _point(der: bytes) -> bytes:
    """The 65 bytes inside a SubjectPublicKeyInfo. Raises BadAnswer."""
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadAnswer("AWS KMS answered no public key") from error
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256K1):
        raise BadAnswer("AWS KMS answered a key of another curve")
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def check(settings: SignerSettings) -> None:
    """Raises SignerConfigError. Asks nobody but whoever gives out credentials."""
    _client(settings).close()


@asynccontextmanager
async def open_aws_kms(settings: SignerSettings) -> AsyncGenerator[AwsKmsSigner]:
    """Credentials come from where AWS programs find them: role, profile or AWS_* variables. Raises SignerConfigError."""
    signer = AwsKmsSigner(_client(settings), keys=settings.aws_kms_keys, alias_prefix=settings.aws_kms_alias_prefix)
    try:
        yield signer
    finally:
        await signer.close()


def _client(settings: SignerSettings) -> KmsClient:
    try:
        session, config, errors = (import_module(f"botocore.{name}") for name in ("session", "config", "exceptions"))
    except ModuleNotFoundError:
        raise SignerConfigError(
            "SIGNER_BACKEND=aws_kms needs the package botocore: pip install 'tokenx[aws]'"
        ) from None
    if not settings.aws_kms_region:
        raise SignerConfigError("AWS_KMS_REGION is missing")
    url = settings.aws_kms_endpoint_url
    if url is not None:
        url = service_url("AWS_KMS_ENDPOINT_URL", url, is_dev=settings.tokenx_env == "dev")
    options = config.Config(connect_timeout=CONNECT_TIMEOUT_S, read_timeout=READ_TIMEOUT_S, max_pool_connections=MAX_INFLIGHT,
                            retries={"total_max_attempts": ATTEMPTS, "mode": "standard"})  # fmt: skip
    found = session.get_session()
    try:
        if found.get_credentials() is None:
            raise SignerConfigError(
                "AWS credentials are missing: give the service a role, AWS_PROFILE or AWS_ACCESS_KEY_ID"
            )
        return cast(
            KmsClient, found.create_client("kms", region_name=settings.aws_kms_region, endpoint_url=url, config=options)
        )
    except (errors.BotoCoreError, ValueError) as error:
        raise SignerConfigError(f"AWS_KMS_REGION or credentials: {type(error).__name__}") from None
