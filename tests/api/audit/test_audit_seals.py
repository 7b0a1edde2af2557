"""Seals over the audit trail, and every way of tampering a verification must name."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from tokenx_api.audit import service
from tokenx_api.audit.models import Broken, Verification
from tokenx_api.db import Database, ReadConn
from tokenx_cli.runtime.migrate import DatabaseUrls


@dataclass
class Trail:
    """A database with an audit trail, the api's door to it, and a burglar with a superuser's powers."""

    db: Database
    urls: DatabaseUrls

    async def write(self, count: int) -> None:
        for number in range(count):
            async with self.db.write() as conn:
                await service.record(
                    conn, actor="usr_1", action="thing.done", subject_type="thing", subject_id=f"t{number}", n=number
                )

    async def write_and_fail(self) -> None:
        async with self.db.write() as conn:
            await service.record(conn, actor="a", action="gone.soon", subject_type="t", subject_id="x")
            await conn.execute("SELECT 1 / 0")

    async def seal(self) -> int:
        async with self.db.write() as conn:
            return await service.seal(conn)

    async def verify(self) -> Verification:
        async with self.db.read() as conn:
            return await service.verify(ReadConn(conn))

    async def burgle(self, *statements: str) -> None:
        """Statements with the triggers switched off, as only the owner of the database can."""
        connection = await asyncpg.connect(self.urls.superuser_url)
        try:
            for table in ("events", "seals"):
                await connection.execute(f"ALTER TABLE audit.{table} DISABLE TRIGGER USER")
            for statement in statements:
                assert (await connection.execute(statement)).split()[-1] != "0", statement
        finally:
            await connection.close()


@pytest_asyncio.fixture(loop_scope="session")
async def trail(database: DatabaseUrls) -> AsyncIterator[Trail]:
    db = Database(database.api_url, size=4)
    await db.open()
    yield Trail(db, database)
    await db.close()


async def test_seals_cover_every_event_once(trail: Trail) -> None:
    assert await trail.seal() == 0
    await trail.write(5)
    assert await trail.seal() == 5
    assert await trail.seal() == 0
    await trail.write(3)
    assert (await trail.verify()).unsealed == 3
    assert await trail.seal() == 3
    assert await trail.verify() == Verification(ok=True, events=8, seals=2, unsealed=0, broken=None)


async def test_sealers_at_once_make_one_chain(trail: Trail) -> None:
    await trail.write(20)
    assert sum(await asyncio.gather(*(trail.seal() for _ in range(4)))) == 20
    assert (await trail.verify()).ok


async def test_event_of_a_running_transaction_waits_for_the_next_seal(trail: Trail) -> None:
    async with trail.db.write() as slow:
        await service.record(slow, actor="a", action="slow.started", subject_type="t", subject_id="slow")
        await trail.write(2)  # later transactions, higher event ids, done before the slow one
        assert await trail.seal() == 0
    assert await trail.seal() == 3
    assert await trail.verify() == Verification(ok=True, events=3, seals=1, unsealed=0, broken=None)


async def test_rolled_back_event_leaves_a_gap_that_is_fine(trail: Trail) -> None:
    await trail.write(1)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await trail.write_and_fail()
    await trail.write(1)
    await trail.seal()
    assert await trail.verify() == Verification(ok=True, events=2, seals=1, unsealed=0, broken=None)


@pytest.mark.parametrize(
    ("statements", "row", "row_id", "problem"),
    [
        (["UPDATE audit.events SET actor = 'usr_2' WHERE event_id = 3"], "event", 3, "was changed"),
        (["UPDATE audit.events SET detail = '{\"n\": 3}' WHERE event_id = 3"], "event", 3, "was changed"),
        (
            ["UPDATE audit.events SET occurred_at = occurred_at + interval '1 us' WHERE event_id = 4"],
            "event", 4, "was changed",
        ),
        (["UPDATE audit.events SET actor = 'x' WHERE event_id = 9"], "event", 9, "was changed"),
        (["DELETE FROM audit.events WHERE event_id = 2"], "event", 2, "was deleted"),
        (
            ["UPDATE audit.events SET actor = 'x', leaf = audit.leaf_hash('x', action, subject_type, subject_id, correlation_id, detail, occurred_at) "
             "WHERE event_id = 3"],
            "seal", 1, "the root over its events is another",
        ),
        (["DELETE FROM audit.seals WHERE seal_id = 1"], "seal", 2, "does not follow the seal before it"),
        (
            ["UPDATE audit.seals SET event_ids = ARRAY[2, 1, 3, 4]::bigint[] WHERE seal_id = 1"],
            "seal", 1, "the root over its events is another",
        ),
        (
            ["UPDATE audit.seals SET hash = sha256('x') WHERE seal_id = 2"],
            "seal", 2, "its hash is not the hash of its contents",
        ),
        (
            ["INSERT INTO audit.events (occurred_at, actor, action, subject_type, subject_id, correlation_id, recorded_xid, leaf) "
             "SELECT occurred_at, 'x', action, subject_type, subject_id, correlation_id, recorded_xid, "
             "audit.leaf_hash('x', action, subject_type, subject_id, correlation_id, '{}', occurred_at) FROM audit.events WHERE event_id = 1"],
            "event", 10, "it was inserted later",
        ),
    ],
)  # fmt: skip
async def test_tampering_is_named(trail: Trail, statements: list[str], row: Any, row_id: int, problem: str) -> None:
    await trail.write(4)
    await trail.seal()
    await trail.write(4)
    await trail.seal()
    await trail.write(1)
    assert (await trail.verify()).ok
    await trail.burgle(*statements)
    found = await trail.verify()
    assert not found.ok
    assert isinstance(found.broken, Broken)
    assert (found.broken.row, found.broken.row_id) == (row, row_id)
    assert problem in found.broken.problem


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit.events SET actor = 'x'",
        "DELETE FROM audit.events",
        "TRUNCATE audit.events",
        "UPDATE audit.seals SET root = hash",
        "DELETE FROM audit.seals",
        "INSERT INTO audit.events (actor, action, subject_type, subject_id, correlation_id, leaf) VALUES ('a', 'b', 'c', 'd', 'e', sha256('x'))",
    ],
)
async def test_the_api_itself_cannot_change_the_trail(trail: Trail, statement: str) -> None:
    await trail.write(1)
    await trail.seal()
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with trail.db.write() as conn:
            await conn.execute(statement)
