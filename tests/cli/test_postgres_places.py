"""PostgreSQL under closed folders, which is what a root user's home is: it must work, and the folders must stay closed."""

import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from tokenx_cli.runtime import foreground, ports, postgres
from tokenx_cli.runtime.account import server_account
from tokenx_cli.runtime.postgres import Postgres, server_home
from tokenx_cli.runtime.process import StartFailed

pytestmark = pytest.mark.stack


@pytest.fixture
def closed() -> Iterator[Path]:
    """A folder only its owner may enter."""
    folder = Path(tempfile.mkdtemp(prefix="tokenx-closed-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def cluster(closed: Path) -> Iterator[Postgres]:
    """A cluster whose wanted home is in the closed folder."""
    wanted = closed / "stack" / "postgres"
    yield Postgres(wanted, ports.free_port(), "secret", durable=False)
    shutil.rmtree(server_home(wanted, server_account()))


async def test_it_runs_and_the_closed_folder_stays_closed(
    closed: Path, cluster: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = postgres.find_programs()
    package = programs.parents[1]
    shutil.copytree(
        programs.parent, closed / package.name / programs.parent.name
    )  # as if the virtual environment was in there too
    shutil.copytree(package.with_name(f"{package.name}.libs"), closed / f"{package.name}.libs")
    programs = closed / package.name / programs.parent.name / "bin"
    monkeypatch.setattr(postgres, "find_programs", lambda: programs)
    with foreground.run(cluster.spec(), closed / "log"):
        connection = await asyncpg.connect(cluster.url())
        assert await connection.fetchval("SHOW data_checksums") == "on"
        assert await connection.fetchval("SHOW unix_socket_directories") == ""
        assert await connection.fetchval("SHOW listen_addresses") == "127.0.0.1"
        await connection.close()
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def test_data_of_another_version_is_refused_with_the_way_out(cluster: Postgres, closed: Path) -> None:
    spec = cluster.spec()
    foreground.start(spec, closed / "log").stop()
    assert spec.cwd is not None
    (spec.cwd / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(StartFailed, match="made by PostgreSQL 9, the program here is 18"):
        foreground.start(spec, closed / "log")


def test_half_made_cluster_is_made_again(cluster: Postgres, closed: Path) -> None:
    spec = cluster.spec()
    assert spec.cwd is not None
    (spec.cwd / "data.partial").mkdir()
    (spec.cwd / "data.partial" / "PG_VERSION").write_text("18\n")
    foreground.start(spec, closed / "log").stop()
