"""The whole product under its supervisor: ready, reachable on loopback only, and back after any part was killed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.stack import Stack
from tokenx_cli.runtime.paths import project_root
from tokenx_cli.runtime.secrets import PERSONA_LOGINS

pytestmark = pytest.mark.stack

SERVICES = ("api", "chain", "matcher", "kyt")
LISTEN = "0A"
LOOPBACK_HEX = "0100007F"


def tokenx(stack: Stack, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "tokenx_cli", *words], capture_output=True, text=True, env=stack.env, check=False
    )


def listening_elsewhere(pid: int) -> list[str]:
    """Local addresses other than 127.0.0.1 that a process listens on, as the kernel writes them."""
    held: set[str] = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            held.add(os.readlink(descriptor))
        except FileNotFoundError:
            continue
    found: list[str] = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            columns = line.split()
            address = columns[1].split(":")[0]
            if columns[3] == LISTEN and f"socket:[{columns[9]}]" in held and address != LOOPBACK_HEX:
                found.append(columns[1])
    return found


def test_every_part_is_ready(stack: Stack) -> None:
    states = {unit.name: unit.state for unit in stack.state().units}
    assert states.pop("web") == "absent"
    assert set(states.values()) <= {"ready", "degraded", "done"}, states


def test_status_json_is_what_scripts_need(stack: Stack) -> None:
    done = tokenx(stack, "status", "--json")
    assert done.returncode == 0
    units = {unit["name"]: unit for unit in json.loads(done.stdout)["units"]}
    for service in SERVICES:
        assert units[service]["state"] in ("ready", "degraded")
        assert units[service]["pid"] > 0
        assert stack.urls[service].endswith(f":{units[service]['port']}")


@pytest.mark.parametrize("email", list(PERSONA_LOGINS))
def test_each_demo_login_signs_in(stack: Stack, email: str) -> None:
    answer = httpx.post(
        f"{stack.urls['api']}/v1/auth/sessions", json={"email": email, "password": stack.logins[email]}, timeout=20
    )
    assert answer.status_code == 201
    assert answer.json()["user"]["personas"] == [PERSONA_LOGINS[email]]


def test_every_part_listens_on_loopback_only(stack: Stack) -> None:
    assert {
        unit.name: listening_elsewhere(unit.pid)
        for unit in stack.state().units
        if unit.pid
        if listening_elsewhere(unit.pid)
    } == {}


def test_only_the_api_process_has_a_database_url(stack: Stack) -> None:
    holders = [
        unit.name for unit in stack.state().units
        if unit.pid and unit.name != "postgres" and b"postgresql://" in Path(f"/proc/{unit.pid}/environ").read_bytes()
    ]  # fmt: skip
    assert holders == ["api"]


@pytest.mark.parametrize("part", ["kyt", "matcher", "chain", "api", "valkey", "anvil", "postgres"])
def test_killed_part_comes_back_and_the_stack_is_ready_again(stack: Stack, part: str) -> None:
    pid = stack.kill(part)
    stack.wait_ready(part, after_pid=pid)
    for service in SERVICES:
        stack.wait_ready(service)


def test_openapi_documents_are_the_committed_ones(stack: Stack, tmp_path: Path) -> None:
    """docs/openapi is what the services serve; the web app's types are generated from it. Renew with `make openapi`."""
    done = tokenx(stack, "openapi", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert {path.stem for path in tmp_path.glob("*.json")} == set(SERVICES)
    stale = [
        path.name
        for path in tmp_path.glob("*.json")
        if path.read_text() != (project_root() / "docs" / "openapi" / path.name).read_text()
    ]
    assert not stale
