"""Administration, and the OpenAPI document."""

import json

from tests.api.harness import Api
from tests.api.world import World
from tokenx_api import openapi


async def test_users_are_listed_without_secrets(world: World) -> None:
    client = await world.api.user("transfer_agent")
    admin = await world.staff("admin")
    page = await admin.get("/v1/admin/users?limit=2")
    listed = next(row for row in page["data"] if row["user_id"] == client.user_id)
    assert set(listed) == {"user_id", "email", "display_name", "personas", "status", "created_at"}


async def test_health_reports_every_service(world: World) -> None:
    """chain is a stand-in that answers; nobody listens for matcher and kyt."""
    report = await (await world.staff("admin")).get("/v1/admin/health")
    states = {service["service"]: service["status"] for service in report["services"]}
    assert set(states) == {"api", "chain", "matcher", "kyt"}
    assert (states["chain"], states["matcher"], states["kyt"], report["status"]) == ("ok", "down", "down", "down")
    api = next(service for service in report["services"] if service["service"] == "api")
    assert api["dependencies"]["postgresql"]["status"] == "ok"


async def test_openapi_document_is_what_the_server_says(api: Api) -> None:
    assert json.loads(openapi.document()) == await api.anonymous.get("/openapi.json")
