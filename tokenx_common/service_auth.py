"""Service-to-service authentication: Ed25519-signed JWTs that live one minute. Each service holds only its own private key."""

import base64
from collections.abc import Callable, Coroutine, Mapping
from datetime import timedelta
from typing import Any, Final, NewType

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from fastapi import Request

from tokenx_common.clock import monotonic_s, utc_now
from tokenx_common.errors import NotAuthenticated, PermissionDenied

TOKEN_LIFE_S: Final = 60
_REUSE_S: Final = 30.0
_LEEWAY_S: Final = 5

ServiceName = NewType("ServiceName", str)


class ServiceSigner:
    """Makes tokens for calls from this service. A token is reused for half of its life, so signing stays off the hot path."""

    def __init__(self, name: str, private_key_base64: str) -> None:
        self._name = name
        self._key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(private_key_base64))
        self._cache: dict[str, tuple[float, str]] = {}

    def token(self, audience: str) -> str:
        """A bearer token for one audience."""
        made_at, token = self._cache.get(audience, (-_REUSE_S, ""))
        if monotonic_s() - made_at >= _REUSE_S:
            now = utc_now()
            claims = {"iss": self._name, "aud": audience, "iat": now, "exp": now + timedelta(seconds=TOKEN_LIFE_S)}
            token = jwt.encode(claims, self._key, algorithm="EdDSA")
            self._cache[audience] = (monotonic_s(), token)
        return token


class ServiceVerifier:
    """Checks tokens sent to this service. Only EdDSA, only known issuers, only this audience."""

    def __init__(self, name: str, public_keys_base64: Mapping[str, str]) -> None:
        self._name = name
        self._keys = {
            issuer: Ed25519PublicKey.from_public_bytes(base64.b64decode(key))
            for issuer, key in public_keys_base64.items()
        }

    def caller(self, authorization: str | None) -> ServiceName:
        """The calling service's name. Raises NotAuthenticated for anything but a valid, current token."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotAuthenticated("a service token is required")
        try:
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss", "")
            claims = jwt.decode(token, self._keys[issuer], algorithms=["EdDSA"], audience=self._name, leeway=_LEEWAY_S,
                                options={"require": ["exp", "iat", "iss", "aud"]})  # fmt: skip
        except (jwt.PyJWTError, KeyError):
            raise NotAuthenticated("the service token is not valid") from None
        return ServiceName(claims["iss"])


def require_service(*allowed: str) -> Callable[[Request], Coroutine[Any, Any, ServiceName]]:
    """A FastAPI dependency: the caller's service name, which must be one of `allowed`.
    The app must carry a ServiceVerifier at app.state.service_verifier (service_app puts it there)."""

    async def dependency(request: Request) -> ServiceName:  # async: no thread hop per request
        verifier: ServiceVerifier = request.app.state.service_verifier
        caller = verifier.caller(request.headers.get("authorization"))
        if caller not in allowed:
            raise PermissionDenied(f"service {caller} may not call this")
        return caller

    return dependency


def new_key_pair() -> tuple[str, str]:
    """(private, public), both base64 of the raw 32 bytes."""
    private = Ed25519PrivateKey.generate()
    return base64.b64encode(private.private_bytes_raw()).decode(), base64.b64encode(
        private.public_key().public_bytes_raw()
    ).decode()
