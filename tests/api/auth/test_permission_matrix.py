"""Every route of these domains, tried by every persona and by a stranger."""

from typing import Final

import pytest

from tests.api.harness import PERSONAS, Api
from tests.api.world import World
from tokenx_api.auth.models import Persona

EVERYONE: Final[frozenset[Persona]] = frozenset(PERSONAS)
STAFF: Final[frozenset[Persona]] = EVERYONE - {"investor", "issuer"}
COMPLIANCE: Final[frozenset[Persona]] = frozenset({"compliance_officer"})

MATRIX: Final[dict[str, frozenset[Persona]]] = {
    "GET /v1/auth/me": EVERYONE,
    "DELETE /v1/auth/sessions/current": EVERYONE,
    "POST /v1/investors": frozenset({"investor"}),
    "GET /v1/investors/me": frozenset({"investor"}),
    "GET /v1/investors": frozenset({"compliance_officer", "transfer_agent"}),
    "POST /v1/investors/{id}:approve-kyc": COMPLIANCE,
    "POST /v1/investors/{id}:reject-kyc": COMPLIANCE,
    "POST /v1/investors/{id}:freeze": COMPLIANCE,
    "POST /v1/investors/{id}:unfreeze": COMPLIANCE,
    "POST /v1/investors/{id}:revoke": COMPLIANCE,
    "POST /v1/investors/{id}:recover": frozenset({"transfer_agent"}),
    "POST /v1/issuers": frozenset({"issuer"}),
    "GET /v1/issuers/me": frozenset({"issuer"}),
    "GET /v1/issuers": STAFF,
    "POST /v1/issuers/{id}:approve-kyb": COMPLIANCE,
    "POST /v1/issuers/{id}:reject-kyb": COMPLIANCE,
    "POST /v1/offerings": frozenset({"issuer"}),
    "GET /v1/offerings": EVERYONE,
    "GET /v1/offerings/{id}": EVERYONE,
    "POST /v1/offerings/{id}:approve": COMPLIANCE,
    "POST /v1/offerings/{id}:deploy": frozenset({"tokenization_agent"}),
    "POST /v1/offerings/{id}:open": frozenset({"issuer"}),
    "POST /v1/payments": frozenset({"investor"}),
    "GET /v1/payments": frozenset({"investor"}),
    "POST /v1/payments/{id}:mint-again": frozenset({"tokenization_agent"}),
    "POST /v1/subscriptions": frozenset({"investor"}),
    "GET /v1/subscriptions": frozenset({"investor", "issuer", "compliance_officer", "transfer_agent"}),
    "POST /v1/subscriptions/{id}:accept": frozenset({"issuer"}),
    "POST /v1/subscriptions/{id}:reject": frozenset({"issuer"}),
    "GET /v1/courses": EVERYONE,
    "GET /v1/courses/{id}": EVERYONE,
    "GET /v1/admin/users": frozenset({"admin"}),
    "GET /v1/admin/health": frozenset({"admin"}),
    "GET /v1/audit/events": frozenset({"compliance_officer", "admin"}),
    "GET /v1/audit/verification": frozenset({"compliance_officer", "admin"}),
}
OPEN: Final = {"POST /v1/auth/register", "POST /v1/auth/sessions"}
DOMAINS: Final = ("auth", "investors", "issuers", "payments", "subscriptions", "courses", "admin", "audit")


@pytest.mark.parametrize("route", MATRIX)
async def test_route_opens_for_its_personas_only(world: World, route: str) -> None:
    """An allowed persona gets past the door, to whatever answer the made-up request deserves; any other gets 403 before anything else."""
    assert {persona for persona in PERSONAS if await _gets_in(world, route, persona)} == MATRIX[route]


async def _gets_in(world: World, route: str, persona: Persona) -> bool:
    client = await (world.api.user(persona) if "sessions/current" in route else world.staff(persona))
    method, path = route.split()
    answer = await client.send(method, path.replace("{id}", "nothing_1"), {} if method == "POST" else None)
    assert answer.status_code < 500, answer.text
    return answer.status_code != 403 or answer.json()["code"] != "auth.permission_denied"


@pytest.mark.parametrize("route", MATRIX)
async def test_route_is_closed_to_strangers(api: Api, route: str) -> None:
    method, path = route.split()
    answer = await api.anonymous.send(method, path.replace("{id}", "nothing_1"), {} if method == "POST" else None)
    assert (answer.status_code, answer.json()["code"]) == (401, "auth.required")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_matrix_misses_no_route(api: Api) -> None:
    document = await api.anonymous.get("/openapi.json")
    routes = {
        f"{method.upper()} {_with_id(path)}"
        for path, methods in document["paths"].items()
        for method in methods
        if path.startswith(tuple(f"/v1/{domain}" for domain in DOMAINS))
    }
    assert routes - OPEN <= set(MATRIX)


def _with_id(path: str) -> str:
    before, brace, after = path.partition("{")
    return f"{before}{{id}}{after.partition('}')[2]}" if brace else before
