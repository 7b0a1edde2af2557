"""The words of `tokenx` and what they answer, without a whole stack."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.servers import scratch_folder
from tokenx_cli.app import app
from tokenx_cli.commands import doctor
from tokenx_cli.runtime import temporal
from tokenx_cli.runtime.secrets import PERSONA_LOGINS, load_or_create
from tokenx_cli.stack.folder import StackState, StateFolder, UnitState
from tokenx_cli.stack.identity import own_identity

runner = CliRunner()


@pytest.fixture
def folder() -> Iterator[StateFolder]:
    with scratch_folder("commands") as path:
        yield StateFolder(path)


def tokenx(*words: str) -> tuple[int, str]:
    """Exit status and everything printed."""
    result = runner.invoke(app, list(words))
    return result.exit_code, result.output


def publish(folder: StateFolder, state: str, *units: UnitState) -> None:
    """As if this process was the supervisor."""
    folder.create().publish(StackState(state, *own_identity(), urls={"api": "http://127.0.0.1:1"}, units=units))


def test_status_of_nothing_is_exit_3(folder: StateFolder) -> None:
    status, text = tokenx("status", "--data", str(folder.root))
    assert status == 3
    assert "no stack is running" in text


def test_status_json_of_nothing_says_stopped(folder: StateFolder) -> None:
    status, text = tokenx("status", "--json", "--data", str(folder.root))
    assert status == 3
    assert json.loads(text)["state"] == "stopped"


def test_status_json_holds_state_pid_port_restarts_and_health_of_each_part(folder: StateFolder) -> None:
    publish(folder, "ready", UnitState("api", "ready", pid=os.getpid(), identity="x", port=8100, restarts=2))
    status, text = tokenx("status", "--json", "--data", str(folder.root))
    assert status == 0
    unit = json.loads(text)["units"][0]
    assert (unit["name"], unit["state"], unit["port"], unit["restarts"], unit["health"]) == (
        "api",
        "ready",
        8100,
        2,
        "",
    )


def test_status_is_exit_1_when_a_required_part_is_in_back_off(folder: StateFolder) -> None:
    publish(folder, "failing", UnitState("api", "back-off", health="ended with status 1"))
    status, text = tokenx("status", "--data", str(folder.root))
    assert status == 1
    assert "ended with status 1" in text


def test_state_of_a_dead_supervisor_counts_as_not_running(folder: StateFolder) -> None:
    folder.create().publish(StackState("ready", os.getpid(), "another start time", units=()))
    assert tokenx("status", "--data", str(folder.root))[0] == 3


def test_up_in_a_used_folder_is_refused_and_says_what_to_do(folder: StateFolder) -> None:
    with folder.create().lock():
        status, text = tokenx("up", "--data", str(folder.root))
    assert status == 1
    assert "tokenx down" in text


def test_up_detached_adopts_a_living_stack(folder: StateFolder) -> None:
    publish(folder, "ready")
    status, text = tokenx("up", "--detach", "--data", str(folder.root))
    assert status == 0
    assert "Token-x is ready" in text


def test_up_names_the_taken_port_and_the_way_out(folder: StateFolder) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        status, text = tokenx("up", "--data", str(folder.root), "--ports", "auto", "--port", f"api={port}")
    assert status == 1
    assert f"port {port} (api) is in use by pid {os.getpid()}" in text
    assert "--port api=NUMBER" in text


@pytest.mark.parametrize("words", [("--ports", "some"), ("--port", "api"), ("--port", "nothing=1")])
def test_up_refuses_words_it_does_not_know(folder: StateFolder, words: tuple[str, str]) -> None:
    assert tokenx("up", "--data", str(folder.root), *words)[0] == 2


def test_down_without_a_stack_is_no_error(folder: StateFolder) -> None:
    assert tokenx("down", "--data", str(folder.root)) == (0, "nothing was running\n")


def test_reset_deletes_only_what_a_stack_made(folder: StateFolder) -> None:
    (folder.root / "precious").write_text("data")
    status, text = tokenx("reset", "--yes", "--data", str(folder.root))
    assert status == 1
    assert "was not made by a stack" in text
    assert (folder.root / "precious").exists()


def test_reset_asks_first(folder: StateFolder) -> None:
    folder.create()
    assert runner.invoke(app, ["reset", "--data", str(folder.root)], input="n\n").exit_code == 1
    assert folder.root.exists()


def test_reset_deletes_everything(folder: StateFolder) -> None:
    load_or_create(folder.create().secrets)
    assert tokenx("reset", "--yes", "--data", str(folder.root))[0] == 0
    assert not folder.root.exists()


def test_logs_of_an_unknown_part_lists_the_known_ones(folder: StateFolder) -> None:
    (folder.create().logs / "api.log").write_text("hello\n")
    status, text = tokenx("logs", "apy", "--data", str(folder.root))
    assert status == 1
    assert "there are: api" in text


def test_logins_shows_the_seven_demo_users(folder: StateFolder) -> None:
    secrets = load_or_create(folder.create().secrets)
    status, text = tokenx("logins", "--data", str(folder.root))
    assert status == 0
    assert all(email in text and secrets.logins[email] in text for email in PERSONA_LOGINS)


def test_fault_on_nothing_is_exit_3(folder: StateFolder) -> None:
    assert tokenx("fault", "kill", "api", "--data", str(folder.root))[0] == 3


def test_secrets_are_for_the_owner_only_and_stay_the_same(folder: StateFolder) -> None:
    first = load_or_create(folder.create().secrets)
    assert folder.secrets.stat().st_mode & 0o777 == 0o600
    assert load_or_create(folder.secrets) == first
    assert first.database["tokenx_api"] not in repr(first)


def missing(message: str) -> str:
    raise FileNotFoundError(message)


def test_doctor_is_exit_1_when_something_required_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    checks = [doctor.Check("fine", lambda: "here"), doctor.Check("gone", lambda: missing("install it"))]
    monkeypatch.setattr(doctor, "checks", lambda: checks)
    status, text = tokenx("doctor")
    assert status == 1
    assert "ok       fine" in text
    assert "missing  gone" in text
    assert "install it" in text


def test_doctor_is_exit_0_when_only_optional_things_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        doctor, "checks", lambda: [doctor.Check("temporal", lambda: missing("install Go"), required=False)]
    )
    status, text = tokenx("doctor")
    assert status == 0
    assert "optional temporal" in text


def test_doctor_says_how_to_get_temporal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TOKENX_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    assert temporal.find_program() is None
    finding = next(doctor.examine(check) for check in doctor.checks() if check.name == "temporal")
    assert not finding.ok
    assert "install Go" in finding.detail
