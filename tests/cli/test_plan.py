"""What the stack is made of, in which order, and what each service is told: no more than it needs."""

from collections.abc import Iterator
from graphlib import TopologicalSorter

import pytest
from pydantic import SecretStr

from tests.support.servers import scratch_folder
from tokenx_cli.runtime import temporal
from tokenx_cli.runtime.environment import Environment
from tokenx_cli.runtime.process import ProcessSpec
from tokenx_cli.runtime.secrets import load_secrets
from tokenx_cli.stack.config import StackConfig, choose_ports
from tokenx_cli.stack.folder import StateFolder
from tokenx_cli.stack.plan import make_plan, ports_needed
from tokenx_cli.stack.supervisor import Plan

SERVICES = ("api", "chain", "matcher", "kyt")


@pytest.fixture
def folder() -> Iterator[StateFolder]:
    with scratch_folder("plan") as path:
        yield StateFolder(path).create()


def plan_for(folder: StateFolder, environment: Environment | None = None) -> Plan:
    return make_plan(StackConfig(folder, choose_ports({}, automatic=True), environment or Environment(), web=False))


def spec(plan: Plan, name: str) -> ProcessSpec:
    return next(unit for unit in plan.units if isinstance(unit, ProcessSpec) and unit.name == name)


def test_every_part_comes_after_what_it_needs(folder: StateFolder) -> None:
    plan = plan_for(folder)
    names = [unit.name for unit in plan.units]
    assert all(need in names[: names.index(unit.name)] for unit in plan.units for need in unit.needs)
    order = list(TopologicalSorter({unit.name: unit.needs for unit in plan.units}).static_order())
    assert (
        order.index("postgres")
        < order.index("migrate")
        < order.index("api")
        < min(map(order.index, ("chain", "matcher", "kyt", "logins")))
    )


def test_only_the_api_holds_a_database_credential(folder: StateFolder) -> None:
    plan = plan_for(folder)
    passwords = load_secrets(folder.secrets).database.values()
    for unit in plan.units:
        if isinstance(unit, ProcessSpec):
            told = " ".join([*unit.env.values(), *unit.command])
            assert any(password in told for password in passwords) == (unit.name == "api"), unit.name
            assert ("DATABASE_URL" in unit.env) == (unit.name == "api"), unit.name


def test_api_gets_the_role_without_ddl(folder: StateFolder) -> None:
    assert spec(plan_for(folder), "api").env["DATABASE_URL"].startswith("postgresql://tokenx_api:")


@pytest.mark.parametrize("name", SERVICES)
def test_each_service_holds_its_own_keys_only(folder: StateFolder, name: str) -> None:
    plan = plan_for(folder)
    secrets = load_secrets(folder.secrets)
    told = " ".join(spec(plan, name).env.values())
    for other in SERVICES:
        assert (secrets.service_keys[other] in told) == (other == name)
        assert (secrets.redis[other] in told) == (other == name)


def test_only_the_chain_service_knows_where_the_signer_seed_is(folder: StateFolder) -> None:
    plan = plan_for(folder)
    assert folder.signer_seed.stat().st_mode & 0o777 == 0o600
    knowing = [
        unit.name
        for unit in plan.units
        if isinstance(unit, ProcessSpec) and str(folder.signer_seed) in unit.env.values()
    ]
    assert knowing == ["chain"]


def test_services_inherit_nothing_but_harmless_names(folder: StateFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the operator")
    assert all(
        "AWS_SECRET_ACCESS_KEY" not in unit.env for unit in plan_for(folder).units if isinstance(unit, ProcessSpec)
    )


def test_everything_listens_on_loopback(folder: StateFolder) -> None:
    plan = plan_for(folder)
    assert all(spec(plan, name).env["HOST"] == "127.0.0.1" for name in SERVICES)
    assert "listen_addresses=127.0.0.1" in spec(plan, "postgres").command


def test_replacements_take_the_place_of_embedded_parts(folder: StateFolder) -> None:
    environment = Environment.model_construct(
        database_url=SecretStr("postgresql://tokenx_api:x@db/tokenx"), redis_url=SecretStr("redis://cache:6379/0"), temporal_address="t:7233",
        rpc_urls="http://node:8545", migrator_database_url=None, tokenx_home=None, tokenx_cache=None, sanctions_lists=None,
        log_level="info", log_format="json",
    )  # fmt: skip
    plan = plan_for(folder, environment)
    assert {unit.name: unit.state for unit in plan.others} == {
        "postgres": "external", "valkey": "external", "anvil": "external", "temporal": "external", "web": "absent"
    }  # fmt: skip
    assert set(ports_needed(plan)) == set(SERVICES)
    api = spec(plan, "api").env
    assert (api["DATABASE_URL"], api["REDIS_URL"], api["TEMPORAL_ADDRESS"]) == (
        "postgresql://tokenx_api:x@db/tokenx", "redis://cache:6379/0", "t:7233"
    )  # fmt: skip
    assert spec(plan, "chain").env["CHAIN_31337_RPC_URLS"] == "http://node:8545"


def test_without_a_temporal_server_the_rest_is_planned_all_the_same(
    folder: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(temporal, "find_program", lambda: None)
    plan = plan_for(folder)
    assert next(unit for unit in plan.others if unit.name == "temporal").state == "absent"
    assert spec(plan, "api").env["TEMPORAL_ADDRESS"] == ""
    assert "worker" not in {unit.name for unit in plan.units}
