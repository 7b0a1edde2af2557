"""Choosing a risk backend: what is not there is refused with one plain line."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tests.kyt.builders import LISTED
from tests.support.servers import ServiceKeys
from tokenx_common.clock import SystemClock
from tokenx_kyt.addresses import parse_address
from tokenx_kyt.backends import make_provider
from tokenx_kyt.settings import KytSettings


def settings(keys: ServiceKeys, **change: Any) -> KytSettings:
    base = KytSettings(redis_url=SecretStr("redis://127.0.0.1:1/0"), service_private_key=SecretStr(keys.private("kyt")),
                       service_public_keys={})  # fmt: skip
    return base.model_copy(update=change)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"risk_backend": "trustformer"}, "RISK_BACKEND: 'trustformer' is not available"),
        ({"sanctions_lists": (Path("/nowhere/list.csv"),)}, "SANCTIONS_LISTS: "),
        ({"sanctions_lists": (), "tokenx_env": "prod"}, "SANCTIONS_LISTS: at least one"),
    ],
)
def test_backend_that_cannot_work_stops_the_start(
    service_keys: ServiceKeys, capsys: pytest.CaptureFixture[str], change: dict[str, Any], line: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        make_provider(settings(service_keys, **change), SystemClock())
    assert stopped.value.code == 78
    (only,) = capsys.readouterr().err.splitlines()
    assert only.startswith(f"configuration: {line}")


async def test_dev_falls_back_to_the_synthetic_list(service_keys: ServiceKeys) -> None:
    provider = make_provider(settings(service_keys), SystemClock())
    found = await provider.screen_address(chain_id=31337, address=parse_address(LISTED))
    assert found.level == "severe"
    assert "SYNTHETIC TEST ENTRY" in found.factors[0].evidence[1]


def test_lists_come_as_a_comma_separated_variable(service_keys: ServiceKeys, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in service_keys.env("kyt").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("SANCTIONS_LISTS", "/a/one.csv, /b/two.csv,")
    assert KytSettings().sanctions_lists == (Path("/a/one.csv"), Path("/b/two.csv"))  # pyright: ignore[reportCallIssue]  # from the environment
