"""Signed requests to the Fireblocks API. The token covers the exact bytes that are sent."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import httpx
import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt

from tokenx_chain.signers.errors import SignerConfigError, SignerUnavailable
from tokenx_common.clock import Clock
from tokenx_common.http import retry_after_s
from tokenx_common.ids import uuid7_hex

TIMEOUT: Final = httpx.Timeout(10.0, connect=3.0)
TOKEN_LIFE_S: Final = 55
"""The most Fireblocks accepts."""
ATTEMPTS: Final = 3
LONGEST_PAUSE_S: Final = 5.0
MAX_ANSWER_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True)
class Answer:
    """A status and what came with it; body is {} where it was no JSON object."""

    status: int
    body: Mapping[str, Any]

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def why(self) -> str:
        """Their code and sentence, short."""
        return f"{self.status} {self.body.get('code', '')} {str(self.body.get('message', ''))[:200]}".strip()


class TryAgain(Exception):
    """The request may or may not have arrived, or they ask to slow down. pause_s: what they asked for, None when nothing."""

    def __init__(self, reason: str, pause_s: float | None = None) -> None:
        super().__init__(reason)
        self.pause_s = pause_s


class FireblocksHttp:
    """One API user. Prints as ***."""

    def __init__(self, http: httpx.AsyncClient, *, base_url: str, api_key: str, secret: RSAPrivateKey, clock: Clock, first_pause_s: float = 0.3) -> None:  # fmt: skip
        self._http = http
        self._base_url = base_url
        self._api_key = api_key
        self._secret = secret
        self._clock = clock
        self._first_pause_s = first_pause_s

    def __repr__(self) -> str:
        return f"FireblocksHttp({self._base_url}, ***)"

    async def get(self, path: str) -> Answer:
        """Reading is repeatable, so it is repeated. Raises SignerUnavailable."""
        try:
            async for attempt in AsyncRetrying(stop=stop_after_attempt(ATTEMPTS), wait=self._pause, reraise=True,
                                               retry=retry_if_exception_type(TryAgain)):  # fmt: skip
                with attempt:
                    return await self._send("GET", path, None)
        except TryAgain as error:
            raise SignerUnavailable(f"Fireblocks: {error}") from None
        raise AssertionError("tenacity returns or raises")

    async def post_once(self, path: str, body: Mapping[str, Any] | None) -> Answer:
        """Raises TryAgain: whether to repeat is the caller's to know."""
        return await self._send("POST", path, body)

    def pause_s(self, attempt: int, error: TryAgain) -> float:
        """How long to wait before the next attempt; attempts count from 1."""
        return min(error.pause_s if error.pause_s is not None else self._first_pause_s * 2 ** (attempt - 1), LONGEST_PAUSE_S)  # fmt: skip

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        return self.pause_s(state.attempt_number, cast(TryAgain, error))

    async def _send(self, method: Literal["GET", "POST"], path: str, body: Mapping[str, Any] | None) -> Answer:
        content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {"X-API-Key": self._api_key, "Authorization": f"Bearer {self._token(path, content)}"}
        if content:
            headers["Content-Type"] = "application/json"
        try:
            answer = await self._http.request(method, self._base_url + path, content=content or None, headers=headers, timeout=TIMEOUT)  # fmt: skip
        except httpx.HTTPError as error:
            raise TryAgain(type(error).__name__) from None
        if answer.status_code == 429 or answer.status_code >= 500:
            raise TryAgain(f"status {answer.status_code}", retry_after_s(answer.headers.get("retry-after", "")))
        return Answer(answer.status_code, _object(answer))

    def _token(self, path: str, content: bytes) -> str:
        now = int(self._clock.now().timestamp())
        claims = {"uri": path, "nonce": uuid7_hex(), "iat": now, "exp": now + TOKEN_LIFE_S, "sub": self._api_key,
                  "bodyHash": hashlib.sha256(content).hexdigest()}  # fmt: skip
        return jwt.encode(claims, self._secret, algorithm="RS256")


def read_secret(pem: bytes) -> RSAPrivateKey:
    """The API user's key. Raises SignerConfigError."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise SignerConfigError("FIREBLOCKS_SECRET_KEY_FILE holds no PEM private key without passphrase") from None
    if not isinstance(key, RSAPrivateKey) or key.key_size < 2048:
        raise SignerConfigError("FIREBLOCKS_SECRET_KEY_FILE must hold an RSA key of at least 2048 bits")
    return key


def _object(answer: httpx.Response) -> Mapping[str, Any]:
    if len(answer.content) > MAX_ANSWER_BYTES:
        return {}
    try:
        body = answer.json()
    except ValueError:
        return {}
    return cast(dict[str, Any], body) if isinstance(body, dict) else {}
