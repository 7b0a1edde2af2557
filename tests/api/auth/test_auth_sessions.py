"""Sign-in, sessions and forged requests, over real HTTP."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.api.harness import ORIGIN, OTHER_ORIGIN, PASSWORD, Api
from tokenx_api.auth.errors import TooManyAttempts
from tokenx_api.auth.service import ATTEMPTS, WINDOW, LoginThrottle

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


async def test_register_and_sign_in(api: Api) -> None:
    body = {"email": "Ann@Example.test", "password": PASSWORD, "display_name": "Ann", "persona": "investor"}
    user = await api.anonymous.post("/v1/auth/register", body)
    assert user["email"] == "ann@example.test"
    assert user["personas"] == ["investor"]
    session = await api.anonymous.post("/v1/auth/sessions", {"email": "ANN@example.test", "password": PASSWORD})
    assert session["user"] == user
    again = await api.anonymous.post("/v1/auth/register", body, expect=409)
    assert again["code"] == "user.email_taken"


async def test_password_is_stored_as_argon2id(api: Api) -> None:
    email = await api.bootstrap("admin")
    [row] = await api.fetch("SELECT password_hash FROM api.users WHERE email = $1", email)
    assert row["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


async def test_session_token_is_stored_hashed(api: Api) -> None:
    client = await api.user("admin")
    token = client.headers["Authorization"].removeprefix("Bearer ")
    rows = await api.fetch("SELECT token_sha256 FROM api.sessions WHERE user_id = $1", client.user_id)
    assert [row["token_sha256"] for row in rows] != [token.encode()]
    assert token not in str(rows)


@pytest.mark.parametrize("email", ["known", "nobody@example.test"])
async def test_every_wrong_login_looks_the_same(api: Api, email: str) -> None:
    address = await api.bootstrap("admin") if email == "known" else email
    refused = await api.anonymous.post("/v1/auth/sessions", {"email": address, "password": "not it, no"}, expect=401)
    assert (refused["code"], refused["detail"]) == ("auth.bad_credentials", "address or password is wrong")


async def test_suspended_user_cannot_sign_in_and_its_sessions_end(api: Api) -> None:
    email = await api.bootstrap("admin")
    client = await api.login(email)
    await api.fetch("UPDATE api.users SET status = 'suspended' WHERE email = $1 RETURNING user_id", email)
    await client.get("/v1/auth/me", expect=401)
    await api.anonymous.post("/v1/auth/sessions", {"email": email, "password": PASSWORD}, expect=401)


async def test_too_many_attempts_are_refused_with_retry_after(api: Api) -> None:
    email = await api.bootstrap("admin")
    for _ in range(ATTEMPTS):
        await api.anonymous.post("/v1/auth/sessions", {"email": email, "password": "wrong one"}, expect=401)
    refused = await api.anonymous.send("POST", "/v1/auth/sessions", {"email": email, "password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (429, "auth.too_many_attempts")
    assert 0 < int(refused.headers["retry-after"]) <= WINDOW.total_seconds() + 1


def test_attempts_are_forgotten_after_the_window() -> None:
    throttle = LoginThrottle()
    for _ in range(ATTEMPTS):
        throttle.start(email="a", ip="1", at=NOON)
    with pytest.raises(TooManyAttempts):
        throttle.start(email="a", ip="1", at=NOON + WINDOW - timedelta(seconds=1))
    throttle.start(email="a", ip="2", at=NOON)
    throttle.start(email="a", ip="1", at=NOON + WINDOW)


@asynccontextmanager
async def browser(api: Api) -> AsyncGenerator[tuple[httpx.AsyncClient, str]]:
    """A cookie session and its CSRF token."""
    async with httpx.AsyncClient(base_url=api.url) as http:
        login = {"email": await api.bootstrap("admin"), "password": PASSWORD}
        yield http, (await http.post("/v1/auth/sessions", json=login)).json()["csrf_token"]


async def test_cookie_is_out_of_reach_of_scripts(api: Api) -> None:
    body = {"email": await api.bootstrap("admin"), "password": PASSWORD}
    cookie = (await api.anonymous.send("POST", "/v1/auth/sessions", body)).headers["set-cookie"]
    assert cookie.startswith("tx_session=")
    assert set(cookie.split("; ")[1:]) == {"HttpOnly", "Max-Age=43200", "Path=/", "SameSite=lax"}


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "X-CSRF-Token is missing"),
        ({"X-CSRF-Token": "guess"}, "X-CSRF-Token is not this session's"),
        ({"X-CSRF-Token": "own", "Origin": "http://evil.test"}, "the request comes from another origin"),
        ({"X-CSRF-Token": "own", "Origin": "null"}, "the request comes from another origin"),
    ],
)
async def test_forged_request_of_a_cookie_session_is_refused(api: Api, headers: dict[str, str], detail: str) -> None:
    async with browser(api) as (http, csrf):
        sent = {name: csrf if value == "own" else value for name, value in headers.items()}
        refused = await http.delete("/v1/auth/sessions/current", headers=sent)
        assert (refused.status_code, refused.json()["code"]) == (403, "auth.csrf")
        assert refused.json()["detail"] == detail
        assert (await http.get("/v1/auth/me")).status_code == 200


async def test_login_from_another_origin_is_refused(api: Api) -> None:
    body = {"email": await api.bootstrap("admin"), "password": PASSWORD}
    answer = await api.anonymous.post("/v1/auth/sessions", body, expect=403, Origin="http://evil.test")
    assert answer["code"] == "auth.csrf"


@pytest.mark.parametrize("origin", [ORIGIN, OTHER_ORIGIN])
async def test_sign_out_ends_the_session(api: Api, origin: str) -> None:
    async with browser(api) as (http, csrf):
        token = http.cookies["tx_session"]
        assert (await http.get("/v1/auth/me")).json()["csrf_token"] == csrf
        done = await http.delete("/v1/auth/sessions/current", headers={"X-CSRF-Token": csrf, "Origin": origin})
        assert done.status_code == 204
        ended = await http.get("/v1/auth/me", headers={"Authorization": f"Bearer {token}"})
        assert (ended.status_code, ended.json()["code"]) == (401, "auth.required")


async def test_session_ends_after_twelve_hours(api: Api) -> None:
    client = await api.user("admin")
    [row] = await api.fetch(
        "SELECT expires_at - created_at AS life FROM api.sessions WHERE user_id = $1", client.user_id
    )
    assert row["life"] == timedelta(hours=12)
    await api.fetch("UPDATE api.sessions SET expires_at = now() WHERE user_id = $1 RETURNING 1", client.user_id)
    await client.get("/v1/auth/me", expect=401)


async def test_bootstrap_changes_nothing_the_second_time(api: Api) -> None:
    email = await api.bootstrap("admin")
    user = {"email": email, "password": "another password", "display_name": "X", "personas": ["investor"]}
    answer = await api.service("cli").post("/internal/bootstrap/users", {"users": [user]}, expect=200)
    assert answer == {"created": [], "existing": [email]}
    assert (await (await api.login(email)).get("/v1/auth/me"))["personas"] == ["admin"]


async def test_bootstrap_is_for_the_cli_only(api: Api) -> None:
    body = {"users": [{"email": "x@example.test", "password": PASSWORD, "display_name": "X", "personas": ["admin"]}]}
    await api.service("matcher").post("/internal/bootstrap/users", body, expect=403)
    await api.anonymous.post("/internal/bootstrap/users", body, expect=401)
    await (await api.user("admin")).post("/internal/bootstrap/users", body, expect=401)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("email", "no at sign", "not_an_email"),
        ("email", "a@b", "not_an_email"),
        ("password", "short", "string_too_short"),
        ("persona", "admin", "literal_error"),
        ("display_name", " ", "string_pattern_mismatch"),
        ("extra", 1, "extra_forbidden"),
    ],
)
async def test_register_says_what_is_wrong(api: Api, field: str, value: object, code: str) -> None:
    body = {"email": "v@example.test", "password": PASSWORD, "display_name": "V", "persona": "investor", field: value}
    answer = await api.anonymous.post("/v1/auth/register", body, expect=422)
    assert [(error["pointer"], error["code"]) for error in answer["errors"]] == [(f"/{field}", code)]
    assert PASSWORD not in str(answer)


async def test_session_changes_are_audited(api: Api) -> None:
    client = await api.login(await api.bootstrap("admin"))
    rows = await api.fetch(
        "SELECT actor, action FROM audit.events WHERE subject_id = $1 ORDER BY event_id", client.user_id
    )
    assert [(row["actor"], row["action"]) for row in rows] == [
        ("service:cli", "user.registered"),
        (client.user_id, "session.opened"),
    ]
