"""Whether a webhook comes from Fireblocks: a detached JWS (RS512) over the exact body, with a key of their published set."""

import base64
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, cast

import httpx
import jwt

from tokenx_chain.signers.errors import ForgedWebhook, SignerUnavailable
from tokenx_common.clock import Clock

HEADER: Final = "fireblocks-webhook-signature"
ALGORITHM: Final = "RS512"
KEYS_LIVE: Final = timedelta(seconds=3600)
"""What their Cache-Control says."""
ASK_AGAIN: Final = timedelta(seconds=60)
"""An unknown key id fetches the set again, but not more often: anyone can send us unknown key ids."""
MAX_BODY_BYTES: Final = 1024 * 1024
MAX_HEADER_CHARS: Final = 8192
TIMEOUT_S: Final = 5.0
_DETACHED: Final = re.compile(r"([A-Za-z0-9_-]+)\.\.([A-Za-z0-9_-]+)")


class WebhookVerifier:
    """Checks signatures with keys fetched from a fixed address."""

    def __init__(self, http: httpx.AsyncClient, *, jwks_url: str, clock: Clock) -> None:
        self._http = http
        self._jwks_url = jwks_url
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_at: datetime | None = None

    async def verify(self, headers: Mapping[str, str], raw: bytes) -> None:
        """Returns for a genuine body. Raises ForgedWebhook, or SignerUnavailable when the keys cannot be fetched: they send it again."""
        given = next((value for name, value in headers.items() if name.lower() == HEADER), "")
        if len(raw) > MAX_BODY_BYTES or len(given) > MAX_HEADER_CHARS:
            raise ForgedWebhook("webhook too large")
        parts = _DETACHED.fullmatch(given.strip().strip('"'))
        if parts is None:
            raise ForgedWebhook(f"no detached JWS in {HEADER}")
        head, signature = parts.groups()
        key = await self._key(_key_id(head))
        payload = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        try:
            jwt.PyJWS(algorithms=[ALGORITHM]).decode(f"{head}.{payload}.{signature}", key, algorithms=[ALGORITHM])
        except jwt.PyJWTError:
            raise ForgedWebhook("the signature does not fit the body") from None

    async def _key(self, key_id: str) -> jwt.PyJWK:
        age = None if self._fetched_at is None else self._clock.now() - self._fetched_at
        if age is None or age >= KEYS_LIVE or (key_id not in self._keys and age >= ASK_AGAIN):
            await self._fetch()
        if key_id not in self._keys:
            raise ForgedWebhook("signed with a key that is not published")
        return self._keys[key_id]

    async def _fetch(self) -> None:
        try:
            answer = await self._http.get(self._jwks_url, timeout=TIMEOUT_S)
            answer.raise_for_status()
            listed = answer.json()["keys"]
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise SignerUnavailable(f"Fireblocks webhook keys: {type(error).__name__}") from None
        self._keys = {key.key_id: key for key in map(_parsed, listed) if key is not None and key.key_id}
        self._fetched_at = self._clock.now()


def _parsed(entry: object) -> jwt.PyJWK | None:
    """An RSA signing key; None for anything else in the set."""
    if not isinstance(entry, dict):
        return None
    fields = cast(dict[str, Any], entry)
    if fields.get("kty") != "RSA" or fields.get("use", "sig") != "sig" or fields.get("alg", ALGORITHM) != ALGORITHM:
        return None
    try:
        return jwt.PyJWK(fields, algorithm=ALGORITHM)
    except jwt.PyJWTError:
        return None


def _key_id(head: str) -> str:
    try:
        fields = jwt.get_unverified_header(f"{head}.e30.c2ln")
    except jwt.PyJWTError:
        raise ForgedWebhook("the JWS header cannot be read") from None
    key_id = fields.get("kid")
    if fields.get("alg") != ALGORITHM or not isinstance(key_id, str):
        raise ForgedWebhook(f"the JWS must be {ALGORITHM} with a key id")
    return key_id
