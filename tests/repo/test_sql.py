"""Every SQL constant prepares against the migrated schema, as the role that runs it: no unknown column, no missing grant."""

import importlib
import re
from types import ModuleType

import asyncpg
import pytest

from tests.repo.sources import ROOT, python_files
from tokenx_cli.runtime.migrate import DatabaseUrls


def query_modules() -> list[ModuleType]:
    return [
        importlib.import_module(".".join(path.with_suffix("").parts))
        for path in python_files()
        if path.name == "queries.py" and path.parts[0] == "tokenx_api"
    ]


def statements(module: ModuleType) -> dict[str, str]:
    return {name: value for name, value in vars(module).items() if name.isupper() and isinstance(value, str)}


async def test_every_statement_prepares(database: DatabaseUrls) -> None:
    broken: list[str] = []
    count = 0
    connection = await asyncpg.connect(database.api_url)
    try:
        for module in query_modules():
            for name, sql in statements(module).items():
                count += 1
                try:
                    await connection.prepare(sql)
                except asyncpg.PostgresError as error:
                    broken.append(f"{module.__name__}.{name}: {error}")
    finally:
        await connection.close()
    assert count > 20, "the query modules were not found"
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("module", query_modules(), ids=lambda module: module.__name__)
def test_constants_are_used(module: ModuleType) -> None:
    """A statement that nothing runs is dead."""
    everything = "".join((ROOT / path).read_text() for path in python_files())
    assert not [name for name in statements(module) if len(re.findall(rf"\b{name}\b", everything)) < 2]
