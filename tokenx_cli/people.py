"""The public REST API as a person uses it: sign in, then get and post. The CLI's journey and replay go through this and nothing else."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import httpx

from tokenx_common.clock import monotonic_s
from tokenx_common.ids import new_id

_IDLE: Final = httpx.Limits(keepalive_expiry=2.0)
"""Seconds: well before the api closes an idle connection itself, or a request could meet its end halfway."""


class ApiProblem(Exception):
    """A problem+json answer."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        self.status = status
        self.code = str(body.get("code", "unknown"))
        self.detail = str(body.get("detail", ""))
        self.body = body
        super().__init__(f"{status} {self.code}: {self.detail}")

    def reason_codes(self) -> list[str]:
        """The compliance reason codes, when it is such a refusal."""
        return [str(reason["code"]) for reason in self.body.get("reasons", [])]


class Person:
    """One signed-in user. Use as an async context manager, or close()."""

    def __init__(self, api_url: str, *, timeout_s: float = 30.0) -> None:
        self._http = httpx.AsyncClient(base_url=api_url, timeout=timeout_s, limits=_IDLE)
        self.user: dict[str, Any] = {}

    async def close(self) -> None:
        await self._http.aclose()

    async def sign_in(self, email: str, password: str) -> "Person":
        """Start a session; later calls carry its bearer token."""
        answer = await self.post("/v1/auth/sessions", {"email": email, "password": password})
        self._http.headers["Authorization"] = f"Bearer {answer['token']}"
        self._http.cookies.clear()
        self.user = answer["user"]
        return self

    @property
    def bearer(self) -> str:
        """The Authorization header of the session."""
        return self._http.headers["Authorization"]

    async def get(self, path: str, **params: Any) -> Any:
        return await self._call("GET", path, params=params)

    async def post(
        self, path: str, body: dict[str, Any] | None = None, *, headers: dict[str, str] | None = None
    ) -> Any:
        return await self._call("POST", path, json=body or {}, headers=headers)

    async def post_once(self, path: str, body: dict[str, Any]) -> Any:
        """A POST that moves money or units, with a fresh Idempotency-Key; repeated under the same key while the api is away."""
        return await self._call("POST", path, json=body, headers={"Idempotency-Key": new_id("cor")})

    async def patch(self, path: str, body: dict[str, Any]) -> Any:
        return await self._call("PATCH", path, json=body)

    async def delete(self, path: str) -> Any:
        return await self._call("DELETE", path)

    async def everything(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All rows of a paged list."""
        rows: list[dict[str, Any]] = []
        cursor: str | None = None
        while True:
            page = await self.get(path, limit=200, **params, **({"cursor": cursor} if cursor else {}))
            rows += page["data"]
            cursor = page.get("next_cursor")
            if not cursor:
                return rows

    async def _call(self, method: str, path: str, **kwargs: Any) -> Any:
        response = await self._http.request(method, path, **kwargs)
        if response.is_error:
            try:
                body = response.json()
            except ValueError:
                body = {"detail": response.text[:200]}
            raise ApiProblem(response.status_code, body)
        return response.json() if response.content else None


class TimedOut(Exception):
    """Something that should have happened did not happen in time."""


async def until(
    what: str, condition: Callable[[], Awaitable[Any]], *, timeout_s: float = 60.0, every_s: float = 0.1
) -> Any:
    """The first true value of `condition`, asked again and again. Raises TimedOut naming what was waited for."""
    deadline = monotonic_s() + timeout_s
    while True:
        value = await condition()
        if value:
            return value
        if monotonic_s() > deadline:
            raise TimedOut(f"{what}: not within {timeout_s:.0f} s")
        await asyncio.sleep(every_s)
