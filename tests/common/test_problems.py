"""problem+json: every error leaves in one shape, and nothing inside leaks."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from tokenx_common.errors import Conflict, DependencyUnavailable
from tokenx_common.problems import install_problem_handlers
from tokenx_common.wire import AmountString, UnitsString, WireModel


class Ticket(WireModel):
    price_amount: AmountString
    units: UnitsString


def app() -> FastAPI:
    made = FastAPI()
    install_problem_handlers(made)

    @made.post("/tickets")
    async def post(body: Ticket) -> dict[str, str]:  # pyright: ignore[reportUnusedFunction]  # a route
        return {"price_amount": body.price_amount}

    @made.get("/conflict")
    async def conflict() -> None:  # pyright: ignore[reportUnusedFunction]  # a route
        raise Conflict("already done", code="thing.done", thing_id="t1")

    @made.get("/away")
    async def away() -> None:  # pyright: ignore[reportUnusedFunction]  # a route
        raise DependencyUnavailable("the thing is away")

    @made.get("/bug")
    async def bug() -> None:  # pyright: ignore[reportUnusedFunction]  # a route
        raise RuntimeError("secret detail")

    return made


async def ask(method: str, path: str, **request: Any) -> httpx.Response:
    transport = httpx.ASGITransport(app=app(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path, **request)


async def test_refusal_carries_its_code_and_facts() -> None:
    answer = await ask("GET", "/conflict")
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert (answer.status_code, body["status"], body["code"], body["thing_id"]) == (409, 409, "thing.done", "t1")
    assert body.keys() >= {"type", "title", "detail", "correlation_id"}


async def test_dependency_that_is_down_says_when_to_come_back() -> None:
    answer = await ask("GET", "/away")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_bug_is_a_500_without_its_message() -> None:
    answer = await ask("GET", "/bug")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"price_amount": 1.5, "units": "1"}, "/price_amount", "number_not_string"),
        ({"price_amount": "1.5", "units": 10}, "/units", "number_not_string"),
        ({"price_amount": "1.505", "units": "1"}, "/price_amount", "not_a_decimal"),
        ({"price_amount": "0.00", "units": "1"}, "/price_amount", "not_positive"),
        ({"price_amount": "1.5", "units": "1", "extra": 1}, "/extra", "extra_forbidden"),
        ({"units": "1"}, "/price_amount", "missing"),
        ({"price_amount": True, "units": "1"}, "/price_amount", "string_type"),
    ],
)
async def test_wrong_field_is_named_by_its_pointer(body: dict[str, Any], pointer: str, code: str) -> None:
    answer = await ask("POST", "/tickets", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(pointer, code)]


async def test_body_that_is_no_json_is_a_400() -> None:
    answer = await ask("POST", "/tickets", content=b"{", headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "request.malformed_json")


@pytest.mark.parametrize(("method", "path", "status", "code"), [("GET", "/nowhere", 404, "route.not_found"), ("DELETE", "/bug", 405, "route.method_not_allowed")])  # fmt: skip
async def test_unknown_routes_and_methods(method: str, path: str, status: int, code: str) -> None:
    answer = await ask(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
