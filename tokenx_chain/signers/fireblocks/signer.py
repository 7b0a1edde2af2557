"""FireblocksSigner. RAW signing: we own nonce, fees and replacement, they hold the key and ask people.

RAW hides from their policy engine what a transaction does, so our own policy must have said yes before a request comes here."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import httpx
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tokenx_chain.signers.curve import address_of
from tokenx_chain.signers.deadlines import expired, is_over
from tokenx_chain.signers.errors import (
    BadAnswer,
    ForgedWebhook,
    JobConflict,
    NotSupported,
    SignerConfigError,
    SignerRefused,
    SignerUnavailable,
    UnknownJob,
    UnknownKey,
)
from tokenx_chain.signers.fireblocks.http import ATTEMPTS, Answer, FireblocksHttp, TryAgain, read_secret
from tokenx_chain.signers.fireblocks.statuses import content_of, job_of
from tokenx_chain.signers.fireblocks.webhooks import WebhookVerifier
from tokenx_chain.signers.jobs import (
    JOB_ID,
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
from tokenx_chain.signers.settings import SignerSettings, private_file, service_url
from tokenx_common.clock import Clock, SystemClock
from tokenx_common.log import get_logger

log = get_logger(__name__)

MAX_INFLIGHT: Final = 32
REMEMBERED: Final = 10_000
CURVE: Final = "MPC_ECDSA_SECP256K1"
_WEI: Final = 10**18
_FLOAT_EXACT: Final = 2**53


class FireblocksSigner:
    """Jobs take as long as people take. externalTxId is the job id: a repeat never makes a second transaction."""

    def __init__(self, api: FireblocksHttp, verifier: WebhookVerifier, *, vaults: Mapping[str, str], asset_id: str,
                 contract_call_assets: Mapping[str, str], clock: Clock) -> None:  # fmt: skip
        self._api = api
        self._verifier = verifier
        self._vaults = dict(vaults)
        self._asset_id = asset_id
        self._call_assets = dict(contract_call_assets)
        self._clock = clock
        self._addresses: dict[str, str] = {}
        self._deadlines: OrderedDict[str, datetime | None] = OrderedDict()

    @property
    def backend(self) -> Backend:
        return "fireblocks"

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(raw_digest=True, typed_data=True, contract_call=bool(self._call_assets), is_sync=False,
                            deterministic=False, max_inflight=MAX_INFLIGHT, webhooks=True)  # fmt: skip

    async def health(self) -> SignerHealth:
        key_ref = next(iter(self._vaults), "platform")
        try:
            address = await self._read_address(key_ref)
        except (SignerUnavailable, UnknownKey, BadAnswer) as error:
            return SignerHealth(ok=False, detail=error.detail)
        return SignerHealth(ok=True, detail=f"{key_ref} is {address}")

    async def address(self, key_ref: str) -> str:
        if key_ref not in self._addresses:
            self._addresses[key_ref] = await self._read_address(key_ref)
        return self._addresses[key_ref]

    async def submit(self, request: SignRequest) -> SignJob:
        messages = [{"content": request.digest.hex()}]
        return await self._submit(request, self._signing(request, "RAW", {"messages": messages, "algorithm": CURVE}))

    async def sign_typed_data(self, request: TypedDataRequest) -> SignJob:
        _ = request.digest  # Refuses what is not EIP-712 before anyone is asked to approve it.
        return await self._submit(request, self._typed(request, "EIP712", _exact(request.plain)))

    async def sign_message(self, request: MessageRequest) -> SignJob:
        return await self._submit(request, self._typed(request, "EIP191", request.message.hex()))

    async def submit_contract_call(self, request: ContractCallRequest) -> SignJob:
        """They choose nonce and fees and send it; a stuck call cannot be replaced through us."""
        asset = self._call_assets.get(str(request.chain_id))
        if asset is None:
            raise NotSupported(f"FIREBLOCKS_CONTRACT_CALL_ASSETS has no asset for chain {request.chain_id}")
        body = self._request(request, "CONTRACT_CALL", asset, {"contractCallData": "0x" + request.data.hex()})
        body["destination"] = {"type": "ONE_TIME_ADDRESS", "oneTimeAddress": {"address": request.to}}
        body["amount"] = f"{request.value_wei // _WEI}.{request.value_wei % _WEI:018d}".rstrip("0").rstrip(".")
        return await self._submit(request, body)

    async def poll(self, job_id: str) -> SignJob:
        body = await self._find(job_id)
        if body is None:
            raise UnknownJob(f"Fireblocks knows no external id {job_id}")
        return await self._settle(job_id, body)

    async def on_webhook(self, headers: Mapping[str, str], raw: bytes) -> Sequence[SignJob]:
        """A webhook is a hint: it says which job to read, never what became of it."""
        await self._verifier.verify(headers, raw)
        job_id = _job_named(raw)
        if job_id is None:
            return []
        try:
            return [await self.poll(job_id)]
        except UnknownJob:
            return []

    async def cancel(self, job_id: str) -> SignJob:
        body = await self._find(job_id)
        if body is None:
            raise UnknownJob(f"Fireblocks knows no external id {job_id}")
        job = job_of(job_id, body)
        return job if job.state is not SignState.PENDING else await self._end(job)

    async def close(self) -> None:
        """The HTTP client belongs to whoever opened it."""

    def _vault(self, key_ref: str) -> str:
        check_key_ref(key_ref)
        vault = self._vaults.get(key_ref)
        if vault is None:
            raise UnknownKey(f"FIREBLOCKS_VAULTS names no vault account for {key_ref}")
        return vault

    async def _read_address(self, key_ref: str) -> str:
        path = f"/v1/vault/accounts/{self._vault(key_ref)}/{self._asset_id}/0/0/public_key_info?compressed=true"
        answer = await self._api.get(path)
        if answer.status == 404:
            raise UnknownKey(f"Fireblocks has no {self._asset_id} in vault account {self._vault(key_ref)}")
        if not answer.ok:
            raise SignerUnavailable(f"Fireblocks: {answer.why}")
        try:
            return address_of(bytes.fromhex(str(answer.body.get("publicKey", "")).removeprefix("0x")))
        except ValueError as error:
            raise BadAnswer("Fireblocks answered no public key") from error

    def _typed(self, request: AnyRequest, kind: str, content: object) -> dict[str, Any]:
        return self._signing(request, "TYPED_MESSAGE", {"messages": [{"content": content, "type": kind}]})

    def _signing(self, request: AnyRequest, operation: str, raw: Mapping[str, Any]) -> dict[str, Any]:
        return self._request(request, operation, self._asset_id, {"rawMessageData": raw})

    def _request(self, request: AnyRequest | ContractCallRequest, operation: str, asset: str, extra: Mapping[str, Any]) -> dict[str, Any]:  # fmt: skip
        facts = "; ".join(f"{name}: {value}" for name, value in (("intent", request.intent_id), *request.policy_context) if value)  # fmt: skip
        return {
            "operation": operation, "assetId": asset, "externalTxId": request.job_id, "note": facts[:1000],
            "source": {"type": "VAULT_ACCOUNT", "id": self._vault(request.key_ref)}, "extraParameters": extra,
        }  # fmt: skip

    async def _submit(self, request: AnyRequest | ContractCallRequest, body: dict[str, Any]) -> SignJob:
        """Create it, or find the one that an earlier try created. Raises SignerUnavailable when neither can be known."""
        self._remember(request)
        if is_over(request, self._clock):
            found = await self._find(request.job_id)
            return expired(request.job_id) if found is None else await self._settle(request.job_id, found)
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = await self._api.post_once("/v1/transactions", body)
            except TryAgain as error:
                # It may have arrived. Only a read can tell, and only after that is a second try allowed.
                found = await self._find(request.job_id)
                if found is not None:
                    return await self._same(request.job_id, found, body)
                log.warning("fireblocks.again", job_id=request.job_id, reason=str(error), attempt=attempt)
                await asyncio.sleep(self._api.pause_s(attempt, error))
                continue
            return await self._created(request.job_id, answer, body)
        raise SignerUnavailable(f"Fireblocks took no request for job {request.job_id}")

    async def _created(self, job_id: str, answer: Answer, body: Mapping[str, Any]) -> SignJob:
        if answer.ok:
            return job_of(job_id, answer.body)
        if answer.status in (401, 403):
            log.error("fireblocks.not_allowed", job_id=job_id, reason=answer.why)
            raise SignerUnavailable(f"Fireblocks does not let us in: {answer.why}")
        # A used external id is answered with 400, like any mistake: the read tells which of the two it was.
        found = await self._find(job_id)
        if found is None:
            raise SignerRefused(f"Fireblocks: {answer.why}")
        return await self._same(job_id, found, body)

    async def _same(self, job_id: str, found: Mapping[str, Any], body: Mapping[str, Any]) -> SignJob:
        held, wanted = content_of(found), content_of(body)
        if held is not None and wanted is not None and held != wanted:
            raise JobConflict(f"job {job_id} was used for something else")
        return await self._settle(job_id, found)

    async def _find(self, job_id: str) -> Mapping[str, Any] | None:
        if not JOB_ID.fullmatch(job_id):
            return None
        answer = await self._api.get(f"/v1/transactions/external_tx_id/{job_id}")
        if answer.status == 404:
            return None
        if not answer.ok:
            raise SignerUnavailable(f"Fireblocks: {answer.why}")
        if answer.body.get("externalTxId") not in (job_id, None):
            raise BadAnswer(f"Fireblocks answered another transaction for job {job_id}")
        return answer.body

    async def _settle(self, job_id: str, body: Mapping[str, Any]) -> SignJob:
        """Where it stands; past its deadline it is asked to end, and ends only when they say so."""
        deadline = self._deadlines.get(job_id)
        is_late = deadline is not None and self._clock.now() >= deadline
        job = job_of(job_id, body, deadline_over=is_late)
        return await self._end(job, deadline_over=True) if is_late and job.state is SignState.PENDING else job

    async def _end(self, job: SignJob, *, deadline_over: bool = False) -> SignJob:
        """Ask for the end, then read what became of it. Asking twice does no harm."""
        try:
            answer = await self._api.post_once(f"/v1/transactions/{job.backend_ref}/cancel", None)
            if not answer.ok:
                log.warning("fireblocks.cancel_refused", job_id=job.job_id, reason=answer.why)
        except TryAgain as error:
            log.warning("fireblocks.cancel_unknown", job_id=job.job_id, reason=str(error))
        body = await self._find(job.job_id)
        return job if body is None else job_of(job.job_id, body, deadline_over=deadline_over)

    def _remember(self, request: AnyRequest | ContractCallRequest) -> None:
        self._deadlines[request.job_id] = request.deadline
        while len(self._deadlines) > REMEMBERED:
            self._deadlines.popitem(last=False)


def _exact(value: Any) -> Any:
    """Whole numbers that JSON readers with floating point would round become decimal strings, which EIP-712 takes as well."""
    if isinstance(value, dict):
        return {name: _exact(member) for name, member in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [_exact(member) for member in cast(list[Any], value)]
    return str(value) if isinstance(value, int) and abs(value) >= _FLOAT_EXACT else value


def _job_named(raw: bytes) -> str | None:
    """The external id in a genuine webhook; None for events about something else. Raises ForgedWebhook for a body that is no event."""
    try:
        event = json.loads(raw)
    except (ValueError, RecursionError):
        raise ForgedWebhook("signed, but not an event") from None
    if not isinstance(event, dict):
        raise ForgedWebhook("signed, but not an event")
    data = cast(dict[str, Any], event).get("data")
    named = cast(dict[str, Any], data).get("externalTxId") if isinstance(data, dict) else None
    return named if isinstance(named, str) and JOB_ID.fullmatch(named) else None


@dataclass(frozen=True, repr=False)
class Access:
    """How to reach Fireblocks and be let in."""

    base_url: str
    jwks_url: str
    api_key: str
    secret: RSAPrivateKey


def check(settings: SignerSettings) -> Access:
    """Raises SignerConfigError with the variable's name. Asks nobody."""
    is_dev = settings.tokenx_env == "dev"
    if settings.fireblocks_api_key is None:
        raise SignerConfigError("FIREBLOCKS_API_KEY is missing")
    if not settings.fireblocks_vaults:
        raise SignerConfigError("FIREBLOCKS_VAULTS is missing: name=vault account id, comma-separated")
    return Access(
        base_url=service_url("FIREBLOCKS_BASE_URL", settings.fireblocks_base_url, is_dev=is_dev).removesuffix("/v1"),
        jwks_url=service_url("FIREBLOCKS_JWKS_URL", settings.fireblocks_jwks_url, is_dev=is_dev),
        api_key=settings.fireblocks_api_key.get_secret_value(),
        secret=read_secret(private_file("FIREBLOCKS_SECRET_KEY_FILE", settings.fireblocks_secret_key_file)),
    )


@asynccontextmanager
async def open_fireblocks(settings: SignerSettings, *, clock: Clock | None = None, first_pause_s: float = 0.3) -> AsyncGenerator[FireblocksSigner]:  # fmt: skip
    """Raises SignerConfigError with the variable's name."""
    time = clock or SystemClock()
    found = check(settings)
    async with httpx.AsyncClient(limits=httpx.Limits(max_connections=MAX_INFLIGHT)) as http:
        api = FireblocksHttp(http, base_url=found.base_url, api_key=found.api_key, secret=found.secret, clock=time, first_pause_s=first_pause_s)  # fmt: skip
        yield FireblocksSigner(
            api, WebhookVerifier(http, jwks_url=found.jwks_url, clock=time), vaults=settings.fireblocks_vaults,
            asset_id=settings.fireblocks_asset_id, contract_call_assets=settings.fireblocks_contract_call_assets, clock=time,
        )  # fmt: skip
