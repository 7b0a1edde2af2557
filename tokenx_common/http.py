"""What every service's HTTP side shares: the FastAPI app with health, metrics, correlation ids and problem+json, and the client for calls between services."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx
from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Histogram, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tokenx_common.clock import monotonic_s, utc_now
from tokenx_common.correlation import HEADER, bind_correlation_id, correlation_id
from tokenx_common.errors import DependencyUnavailable, TokenxError
from tokenx_common.health import HealthRegistry
from tokenx_common.problems import install_problem_handlers, problem
from tokenx_common.service_auth import ServiceSigner, ServiceVerifier
from tokenx_common.settings import ServiceSettings

MAX_BODY_BYTES: Final = 1024 * 1024

REQUESTS = Counter("tokenx_http_requests_total", "Requests answered", ["service", "method", "route", "status"])
DURATION = Histogram("tokenx_http_request_seconds", "Time to the last byte of the answer", ["service", "route"],
                     buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5))  # fmt: skip

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def service_app(
    name: str, settings: ServiceSettings, *, title: str, lifespan: Lifespan, health: HealthRegistry
) -> FastAPI:
    """A FastAPI app with everything the services have in common: /health/live, /health/ready, /metrics, /openapi.json, problem+json,
    correlation ids, request metrics, and app.state.{settings,service_verifier,service_signer}."""
    app = FastAPI(title=title, version="1", lifespan=lifespan, generate_unique_id_function=_operation_id)
    app.state.settings = settings
    app.state.service_signer = ServiceSigner(name, settings.service_private_key.get_secret_value())
    app.state.service_verifier = ServiceVerifier(name, settings.service_public_keys)
    install_problem_handlers(app)
    app.add_middleware(_Edge, service=name)

    @app.get("/health/live", tags=["health"], summary="The process runs")
    async def live() -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]  # a route
        return {"status": "ok"}

    @app.get("/health/ready", tags=["health"], summary="The service can work; each dependency by name")
    async def ready() -> JSONResponse:  # pyright: ignore[reportUnusedFunction]  # a route
        is_ready, report = await health.check()
        return JSONResponse(report, status_code=200 if is_ready else 503)

    @app.get("/metrics", tags=["health"], summary="Prometheus metrics", include_in_schema=False)
    async def metrics() -> Response:  # pyright: ignore[reportUnusedFunction]  # a route
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


class _Edge:
    """Pure ASGI: correlation id in and out, body size limit, request metrics. Kept out of Starlette's BaseHTTPMiddleware, which costs a task per request."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        current = bind_correlation_id(headers.get(HEADER.encode(), b"").decode("latin-1"))
        started, status = monotonic_s(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (HEADER.encode(), current.encode())]
            await send(message)

        received = 0

        async def receive_within_limit() -> Message:
            """A body without a length is counted while it comes."""
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise HTTPException(413, f"at most {MAX_BODY_BYTES} bytes")
            return message

        if int(headers.get(b"content-length", b"0") or 0) > MAX_BODY_BYTES:
            await problem(413, "request.too_large", f"at most {MAX_BODY_BYTES} bytes")(scope, receive, send_with_id)
        else:
            await self._app(scope, receive_within_limit, send_with_id)
        route = getattr(scope.get("route"), "path", "unmatched")
        REQUESTS.labels(self._service, scope["method"], route, status).inc()
        DURATION.labels(self._service, route).observe(monotonic_s() - started)


def retry_after_s(text: str) -> float | None:
    """Seconds of a Retry-After header, from a number of them or from a date (RFC 9110, 10.2.3); None when nothing readable is said."""
    try:
        wait_s = float(text) if text.isdecimal() else (parsedate_to_datetime(text) - utc_now()).total_seconds()
    except (ValueError, TypeError):  # TypeError: a date without a zone
        return None
    return max(0.0, wait_s)


_LIMITS: Final = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=2.0)
"""Idle connections are let go before the service on the other side does so (after 5 s): a request must not meet a closing door."""


class ServiceClient:
    """Calls another service: a fresh token and the correlation id on each request, one pooled connection set, a timeout on everything.

    Raises DependencyUnavailable when the service does not answer or answers 502-504, TokenxError with the peer's own code for its refusals."""

    def __init__(self, audience: str, base_url: str, signer: ServiceSigner, *, timeout_s: float = 5.0) -> None:
        self._audience = audience
        self._signer = signer
        self._http = httpx.AsyncClient(base_url=base_url, timeout=timeout_s, limits=_LIMITS)

    async def close(self) -> None:
        await self._http.aclose()

    async def get(self, path: str, *, params: Mapping[str, Any] | None = None) -> Any:
        """The decoded JSON answer."""
        return await self._call("GET", path, params=params)

    async def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, headers: Mapping[str, str] | None = None
    ) -> Any:
        """The decoded JSON answer, None when there is no body."""
        return await self._call("POST", path, json=body or {}, extra_headers=headers)

    async def delete(self, path: str, *, params: Mapping[str, Any] | None = None) -> Any:
        return await self._call("DELETE", path, params=params)

    async def _call(
        self, method: str, path: str, *, extra_headers: Mapping[str, str] | None = None, **kwargs: Any
    ) -> Any:
        own = {"Authorization": f"Bearer {self._signer.token(self._audience)}", HEADER: correlation_id()}
        headers = {**(extra_headers or {}), **own}
        try:
            response = await self._http.request(method, path, headers=headers, **kwargs)
        except httpx.TransportError as error:
            raise DependencyUnavailable(
                f"{self._audience} did not answer: {type(error).__name__}", service=self._audience
            ) from error
        if response.status_code in (502, 503, 504):
            raise DependencyUnavailable(f"{self._audience} answered {response.status_code}", service=self._audience)
        if response.is_error:
            raise _peer_refusal(self._audience, response)
        return response.json() if response.content else None


def _peer_refusal(audience: str, response: httpx.Response) -> TokenxError:
    try:
        body: dict[str, Any] = response.json()
    except ValueError:
        body = {}
    facts = {
        key: value
        for key, value in body.items()
        if key not in {"type", "title", "status", "detail", "code", "correlation_id"}
    }
    return TokenxError(str(body.get("detail", f"{audience} answered {response.status_code}")), code=str(body.get("code", "dependency.refused")),
                       status=response.status_code, **facts)  # fmt: skip
