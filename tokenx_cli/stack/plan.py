"""The parts of the local stack and their order. What each service is told is exactly what its spec says here."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tokenx_cli.runtime import migrate, node, temporal
from tokenx_cli.runtime.anvil import CHAIN_ID, Anvil
from tokenx_cli.runtime.environment import inherited_environment
from tokenx_cli.runtime.paths import private_folder, project_root, write_secret
from tokenx_cli.runtime.postgres import Postgres
from tokenx_cli.runtime.probes import alive_probe, http_probe, service_probe
from tokenx_cli.runtime.process import ProcessSpec
from tokenx_cli.runtime.secrets import Secrets, load_or_create
from tokenx_cli.runtime.temporal import Temporal
from tokenx_cli.runtime.valkey import Valkey
from tokenx_cli.stack.bootstrap import create_logins
from tokenx_cli.stack.config import StackConfig
from tokenx_cli.stack.folder import UnitState
from tokenx_cli.stack.supervisor import Plan, Step

SERVICES: Final = ("api", "chain", "matcher", "kyt")


@dataclass
class _Draft:
    """A plan in the making: parts so far, and where services find the infrastructure."""

    config: StackConfig
    secrets: Secrets
    units: list[ProcessSpec | Step] = field(default_factory=list[ProcessSpec | Step])
    others: list[UnitState] = field(default_factory=list[UnitState])
    addresses: dict[str, str] = field(default_factory=dict[str, str])

    def has(self, *names: str) -> tuple[str, ...]:
        """Those of the names that this plan runs itself: what can be waited for."""
        return tuple(name for name in names if any(unit.name == name for unit in self.units))


def make_plan(config: StackConfig) -> Plan:
    """The whole stack for a configuration. Touches the disk only for the secrets and the signer's seed."""
    secrets = load_or_create(config.folder.secrets)
    draft = _Draft(config, secrets)
    for add in (_add_database, _add_redis, _add_chain_node, _add_temporal, _add_services, _add_worker, _add_web):
        add(draft)
    return Plan(draft.units, draft.others, _urls(draft))


def ports_needed(plan: Plan) -> dict[str, int]:
    """The ports this plan will listen on, by part."""
    return {unit.name: unit.port for unit in plan.units if isinstance(unit, ProcessSpec) and unit.port is not None}


def _add_database(draft: _Draft) -> None:
    environment = draft.config.environment
    if environment.database_url:
        draft.addresses["database"] = environment.database_url.get_secret_value()
        draft.others.append(UnitState("postgres", "external", health="DATABASE_URL"))
        if environment.migrator_database_url:
            url = environment.migrator_database_url.get_secret_value()
            draft.units.append(Step("migrate", lambda: asyncio.to_thread(migrate.migrate, url)))
        return
    cluster = Postgres(
        draft.config.folder.part("postgres"), draft.config.ports["postgres"], draft.secrets.database["postgres"]
    )
    draft.addresses["database"] = migrate.database_urls(cluster, draft.secrets.database).api_url
    draft.units.append(cluster.spec())
    draft.units.append(Step("migrate", lambda: _migrate(cluster, draft.secrets), needs=("postgres",)))


async def _migrate(cluster: Postgres, secrets: Secrets) -> None:
    await asyncio.to_thread(migrate.prepare_database, cluster, secrets.database)


def _add_redis(draft: _Draft) -> None:
    replacement = draft.config.environment.redis_url
    if replacement:
        draft.addresses |= {f"redis:{service}": replacement.get_secret_value() for service in SERVICES}
        draft.others.append(UnitState("valkey", "external", health="REDIS_URL"))
        return
    server = Valkey(draft.config.folder.part("valkey"), draft.config.ports["valkey"], draft.secrets.redis)
    draft.addresses |= {f"redis:{service}": server.url(service) for service in SERVICES}
    draft.units.append(server.spec())


def _add_chain_node(draft: _Draft) -> None:
    replacement = draft.config.environment.rpc_urls
    if replacement:
        draft.addresses["rpc"] = replacement
        draft.others.append(UnitState("anvil", "external", health="CHAIN_31337_RPC_URLS"))
        return
    chain_node = Anvil(draft.config.folder.part("anvil"), draft.config.ports["anvil"])
    draft.addresses["rpc"] = chain_node.url
    draft.units.append(chain_node.spec())


def _add_temporal(draft: _Draft) -> None:
    """The one part that may be missing: workflows then wait in the outbox."""
    replacement = draft.config.environment.temporal_address
    if replacement:
        draft.addresses["temporal"] = replacement
        draft.others.append(UnitState("temporal", "external", health=replacement, required=False))
    elif temporal.find_program() is None:
        draft.addresses["temporal"] = ""
        draft.others.append(
            UnitState("temporal", "absent", health="no Temporal server: see `tokenx doctor`", required=False)
        )
    else:
        server = Temporal(draft.config.folder.part("temporal"), draft.config.ports["temporal"])
        draft.addresses["temporal"] = server.address
        draft.units.append(server.spec())


def _add_services(draft: _Draft) -> None:
    draft.units.append(_service(draft, "api", _api_environment(draft), draft.has("migrate", "valkey")))
    draft.units.append(Step("logins", lambda: create_logins(draft.config.url("api"), draft.secrets), needs=("api",)))
    draft.units.append(_service(draft, "chain", _chain_environment(draft), ("api", *draft.has("anvil"))))
    snapshots = private_folder(draft.config.folder.part("matcher"))
    draft.units.append(_service(draft, "matcher", {"SNAPSHOT_DIR": str(snapshots)}, ("api",)))
    draft.units.append(_service(draft, "kyt", _kyt_environment(draft), ("api",)))


def _add_worker(draft: _Draft) -> None:
    """The Temporal worker acts through the api with the api's own key; it never sees the database."""
    if not draft.addresses["temporal"]:
        return
    environment = _common_environment(draft, "api") | {"TEMPORAL_ADDRESS": draft.addresses["temporal"]}
    spec = ProcessSpec(
        name="worker", command=(sys.executable, "-m", "tokenx_api.worker"), probe=alive_probe, env=environment, cwd=project_root(),
        needs=("api", *draft.has("temporal")), required=False, settle_s=1.5,
    )  # fmt: skip
    draft.units.append(spec)


def _add_web(draft: _Draft) -> None:
    server = project_root() / "frontend" / ".next" / "standalone" / "server.js"
    if not draft.config.web:
        draft.others.append(UnitState("web", "absent", health="--no-web", required=False))
        return
    if not server.exists():
        draft.others.append(UnitState("web", "absent", health="not built: make demo builds it", required=False))
        return
    environment = {
        "PORT": str(draft.config.ports["web"]), "HOSTNAME": "127.0.0.1", "NODE_ENV": "production",
        "API_URL": draft.config.url("api"), "NEXT_TELEMETRY_DISABLED": "1",
    }  # fmt: skip
    spec = ProcessSpec(
        name="web", command=(str(node.find_node().program), str(server)), probe=http_probe(draft.config.url("web")),
        port=draft.config.ports["web"], env=inherited_environment(environment), cwd=server.parent, needs=("api",),
    )  # fmt: skip
    draft.units.append(spec)


def _service(draft: _Draft, name: str, environment: Mapping[str, str], needs: tuple[str, ...]) -> ProcessSpec:
    return ProcessSpec(
        name=name, command=(sys.executable, "-m", f"tokenx_{name}"), probe=service_probe(draft.config.url(name)), port=draft.config.ports[name],
        env=_common_environment(draft, name) | dict(environment), cwd=project_root(), needs=needs,
    )  # fmt: skip


def _common_environment(draft: _Draft, name: str) -> dict[str, str]:
    addresses = {f"{service.upper()}_URL": draft.config.url(service) for service in SERVICES}
    return inherited_environment({
        "HOST": "127.0.0.1", "PORT": str(draft.config.ports[name]), "TOKENX_ENV": "dev", "PYTHONUNBUFFERED": "1",
        "LOG_LEVEL": draft.config.environment.log_level, "LOG_FORMAT": draft.config.environment.log_format,
        "REDIS_URL": draft.addresses[f"redis:{name}"], **addresses, **draft.secrets.service_environment(name),
    })  # fmt: skip


def _api_environment(draft: _Draft) -> dict[str, str]:
    return {
        "DATABASE_URL": draft.addresses["database"], "TEMPORAL_ADDRESS": draft.addresses["temporal"], "WEB_ORIGIN": _web_origins(draft),
        "CHAIN_ID": str(CHAIN_ID), "KYC_BACKEND": "sandbox", "PAYMENT_BACKEND": "sandbox", "EMAIL_BACKEND": "sandbox",
    }  # fmt: skip


def _web_origins(draft: _Draft) -> str:
    """Both names people type for this machine."""
    port = draft.config.ports["web"]
    return f"http://127.0.0.1:{port},http://localhost:{port}"


def _chain_environment(draft: _Draft) -> dict[str, str]:
    seed = draft.config.folder.signer_seed
    private_folder(seed.parent)
    write_secret(seed, draft.secrets.signer_seed + "\n")
    return {
        "CHAIN_IDS": str(CHAIN_ID), f"CHAIN_{CHAIN_ID}_RPC_URLS": draft.addresses["rpc"], "SIGNER_BACKEND": "local",
        "SIGNER_SEED_FILE": str(seed), "CONTRACTS_DIR": str(project_root() / "contracts"),
    }  # fmt: skip


def _kyt_environment(draft: _Draft) -> dict[str, str]:
    lists = draft.config.environment.sanctions_lists or ",".join(str(path) for path in _found_lists())
    return {"RISK_BACKEND": "local"} | ({"SANCTIONS_LISTS": lists} if lists else {})


def _found_lists() -> list[Path]:
    """A real sanctions list beside the checkout, where the project keeps one, with the synthetic list the demonstration plants."""
    real = sorted((project_root().parent / "shared" / "data" / "ofac").glob("ofac_*.csv"))
    return [*real, project_root() / "tokenx_kyt" / "data" / "synthetic_sdn.csv"] if real else []


def _urls(draft: _Draft) -> dict[str, str]:
    web = {"web": draft.config.url("web")} if draft.has("web") else {}
    return {**web, **{service: draft.config.url(service) for service in SERVICES}, "rpc": draft.addresses["rpc"]}
