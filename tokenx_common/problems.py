"""RFC 9457 problem+json: the only place that makes error responses."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from tokenx_common.correlation import correlation_id
from tokenx_common.errors import TokenxError
from tokenx_common.log import get_logger

log = get_logger(__name__)

_HTTP_CODES = {
    404: "route.not_found",
    405: "route.method_not_allowed",
    413: "request.too_large",
    401: "auth.required",
    403: "auth.permission_denied",
}


def install_problem_handlers(app: FastAPI) -> None:
    """Every error of the app leaves as problem+json with a stable code."""
    app.add_exception_handler(TokenxError, _refusal)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)


def problem(
    status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **members: Any
) -> JSONResponse:
    """One problem+json response."""
    body = {"type": f"https://tokenx.dev/problems/{code}", "title": code.replace(".", " ").replace("_", " "), "status": status,
            "detail": detail, "code": code, "correlation_id": correlation_id(), **members}  # fmt: skip
    return JSONResponse(body, status_code=status, media_type="application/problem+json", headers=headers)


async def _refusal(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TokenxError)
    headers = {"Retry-After": str(error.facts.get("retry_after_s", 1))} if error.status in (429, 503) else None
    return problem(error.status, error.code, error.detail, headers=headers, **error.facts)


async def _validation(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(item["type"] == "json_invalid" for item in found):
        return problem(400, "request.malformed_json", "the body is not valid JSON")
    errors = [{"pointer": _pointer(item["loc"]), "code": item["type"], "message": item["msg"]} for item in found]
    return problem(422, "validation_failed", f"{errors[0]['pointer']}: {errors[0]['message']}", errors=errors)


def _pointer(location: tuple[int | str, ...]) -> str:
    parts = location[1:] if location and location[0] == "body" else location
    return "/" + "/".join(str(part) for part in parts)


async def _http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(
        error.status_code, _HTTP_CODES.get(error.status_code, f"http.{error.status_code}"), str(error.detail)
    )


async def _bug(request: Request, error: Exception) -> JSONResponse:
    log.error("request.crashed", path=request.url.path, exc_info=error)
    return problem(500, "internal", "an unexpected error happened; it was logged under the correlation id")
