"""PostgreSQL, Valkey, anvil and Temporal for tests. Everything listens on 127.0.0.1 and is stopped at the end."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tokenx_cli.runtime import foreground, migrate, ports
from tokenx_cli.runtime.anvil import CHAIN_ID, Anvil
from tokenx_cli.runtime.foreground import Running
from tokenx_cli.runtime.migrate import DatabaseUrls
from tokenx_cli.runtime.paths import private_folder
from tokenx_cli.runtime.postgres import Postgres
from tokenx_cli.runtime.secrets import Secrets, new_secrets
from tokenx_cli.runtime.temporal import Temporal
from tokenx_cli.runtime.valkey import Valkey

TEMPLATE = "tokenx_template"
_names = itertools.count(1)


@contextmanager
def scratch_folder(name: str) -> Generator[Path]:
    """A fresh folder directly under the system's temporary folder: passable for the account PostgreSQL runs under, unlike pytest's own."""
    folder = private_folder(Path(tempfile.mkdtemp(prefix=f"tokenx-{name}-")))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class PostgresServer:
    """A running cluster with a migrated template database."""

    cluster: Postgres
    running: Running
    passwords: dict[str, str]

    @contextmanager
    def new_database(self) -> Generator[DatabaseUrls]:
        """A fresh, migrated database for the length of a block."""
        name = f"t{os.getpid()}_{next(_names)}"
        migrate.create_database(self.cluster.url(), name, template=TEMPLATE)
        try:
            yield migrate.database_urls(self.cluster, self.passwords, name)
        finally:
            migrate.drop_database(self.cluster.url(), name)


@contextmanager
def postgres_server(*, durable: bool) -> Generator[PostgresServer]:
    """A cluster of its own. durable=False (fsync off) is only for tests that do not test durability."""
    passwords = new_secrets().database
    with scratch_folder("pg") as folder:
        cluster = Postgres(folder / "postgres", ports.free_port(), passwords["postgres"], durable=durable)
        with foreground.run(cluster.spec(), folder / "postgres.log") as running:
            migrate.prepare_database(cluster, passwords, TEMPLATE)
            yield PostgresServer(cluster, running, passwords)


@dataclass(frozen=True)
class ValkeyServer:
    """A running server. url(user) for one of the ACL users api, chain, matcher, kyt, cli, admin."""

    server: Valkey
    running: Running

    def url(self, user: str) -> str:
        return self.server.url(user)

    @property
    def admin_url(self) -> str:
        return self.server.url("admin")


@contextmanager
def valkey_server() -> Generator[ValkeyServer]:
    """A server of its own."""
    with scratch_folder("valkey") as folder:
        server = Valkey(folder, ports.free_port(), new_secrets().redis)
        with foreground.run(server.spec(), folder / "valkey.log") as running:
            yield ValkeyServer(server, running)


@dataclass(frozen=True)
class AnvilServer:
    """A running node."""

    node: Anvil
    running: Running
    chain_id: int = CHAIN_ID

    @property
    def url(self) -> str:
        return self.node.url


@contextmanager
def anvil_server(block_time_s: int | None = 1) -> Generator[AnvilServer]:
    """A node of its own, at block 0."""
    with scratch_folder("anvil") as folder:
        node = Anvil(folder, ports.free_port(), block_time_s)
        with foreground.run(node.spec(), folder / "anvil.log") as running:
            yield AnvilServer(node, running)


@contextmanager
def temporal_server() -> Generator[str]:
    """A development server of its own; gives its address. Raises FileNotFoundError when there is no program: CI builds one first."""
    with scratch_folder("temporal") as folder:
        server = Temporal(folder, ports.free_port())
        with foreground.run(server.spec(), folder / "temporal.log"):
            yield server.address


@dataclass(frozen=True)
class ServiceKeys:
    """Fresh Ed25519 keys of all services."""

    secrets: Secrets = field(default_factory=new_secrets)

    def env(self, name: str) -> dict[str, str]:
        """SERVICE_PRIVATE_KEY and SERVICE_PUBLIC_KEYS of one service."""
        return self.secrets.service_environment(name)

    def private(self, name: str) -> str:
        """Base64 of one service's seed, as ServiceSigner takes it."""
        return self.secrets.service_keys[name]

    @property
    def public_json(self) -> str:
        """The public keys as the JSON of SERVICE_PUBLIC_KEYS."""
        return self.env("api")["SERVICE_PUBLIC_KEYS"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One cluster for the whole run, fsync off."""
    with postgres_server(durable=False) as server:
        yield server


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[DatabaseUrls]:
    """A fresh, migrated database: superuser_url, migrator_url, api_url, ro_url."""
    with postgres.new_database() as urls:
        yield urls


@pytest.fixture(scope="module")
def module_database(postgres: PostgresServer) -> Iterator[DatabaseUrls]:
    """As `database`, one for all tests of a module."""
    with postgres.new_database() as urls:
        yield urls


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """One Valkey server for the whole run: use channel and key names of your own."""
    with valkey_server() as server:
        yield server


@pytest.fixture
def anvil() -> Iterator[AnvilServer]:
    """A fresh node for one test."""
    with anvil_server() as server:
        yield server


@pytest.fixture(scope="module")
def module_anvil() -> Iterator[AnvilServer]:
    """A fresh node for all tests of a module."""
    with anvil_server() as server:
        yield server


@pytest.fixture(scope="session")
def temporal() -> Iterator[str]:
    """The address of one Temporal development server for the whole run: use workflow ids of your own."""
    with temporal_server() as address:
        yield address


@pytest.fixture(scope="session")
def service_keys() -> ServiceKeys:
    """Fresh service keys for the whole run."""
    return ServiceKeys()


@pytest.fixture
def free_port() -> int:
    """A port nobody listens on. For several, call tokenx_cli.runtime.ports.free_port()."""
    return ports.free_port()
