"""The invariants I1 to I12, one function each. A check yields one plain line for each thing that breaks it.

All database reads share one repeatable-read snapshot, so a stack under load can be checked too; what a service answers is compared only where
the snapshot has caught up with it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final, LiteralString

import asyncpg

from tokenx_cli.verify import queries
from tokenx_common.canonical import ZERO_HASH, rolling_hash
from tokenx_common.errors import TokenxError
from tokenx_common.http import ServiceClient
from tokenx_common.merkle import merkle_root, seal_hash
from tokenx_matcher.commands import CommandLogBroken
from tokenx_matcher.engine import OfferingEngine

PAGE: Final = 5000
SEAL_PAGE: Final = 500
LAST: Final = 2**63 - 1


@dataclass(frozen=True)
class Target:
    """What is checked: a read-only connection inside its snapshot, and the matcher (None: its live state is not compared)."""

    connection: "asyncpg.Connection[asyncpg.Record]"
    matcher: ServiceClient | None


Broken = AsyncIterator[str]
Check = Callable[[Target], Broken]


@dataclass(frozen=True)
class Invariant:
    name: str
    says: str
    check: Check


async def _rows(target: Target, *statements: LiteralString) -> Broken:
    for statement in statements:
        for row in await target.connection.fetch(statement):
            yield str(row["what"])


async def i1(target: Target) -> Broken:
    async for line in _rows(target, queries.ORDERS_WITHOUT_COMMAND, queries.COMMANDS_WITHOUT_ORDER):
        yield line


async def i2(target: Target) -> Broken:
    async for line in _rows(
        target, queries.COMMANDS_NOT_DENSE, queries.EXECUTIONS_NOT_DENSE, queries.CHAIN_EVENTS_NOT_DENSE
    ):
        yield line


async def i3(target: Target) -> Broken:
    """Replays every command log and compares bodies and rolling hashes with what is stored; then fills with trades."""
    for sequencer in await target.connection.fetch(queries.SEQUENCERS):
        async for line in _replayed(target, sequencer, OfferingEngine(sequencer["offering_id"])):
            yield line
    async for line in _rows(target, queries.FILLS_NOT_TRADES):
        yield line


async def _replayed(target: Target, sequencer: Any, engine: OfferingEngine) -> Broken:
    offering_id = sequencer["offering_id"]
    stored = _stored_executions(target, offering_id)
    try:
        async for items in _commands(target, offering_id):
            for execution in engine.apply(items):
                if execution["seq"] > sequencer["exec_seq"]:
                    break
                if await anext(stored, None) != (execution["body"], execution["hash"]):
                    yield f"{offering_id}: execution {execution['seq']} differs from the replay"
                    return
    except CommandLogBroken as error:
        yield error.detail
        return
    if engine.cmd_hash != sequencer["cmd_hash"]:
        yield f"{offering_id}: the command log's hash is not the sequencer's"


async def _commands(target: Target, offering_id: str) -> AsyncIterator[list[dict[str, Any]]]:
    after = 0
    while rows := await target.connection.fetch(queries.COMMANDS, offering_id, after, PAGE):
        yield [{"seq": row["cmd_seq"], "body": row["body"], "hash": row["hash"].hex()} for row in rows]
        after = rows[-1]["cmd_seq"]


async def _stored_executions(target: Target, offering_id: str) -> AsyncIterator[tuple[str, str]]:
    after, digest = 0, ZERO_HASH
    while rows := await target.connection.fetch(queries.EXECUTIONS, offering_id, after, PAGE):
        for row in rows:
            digest = rolling_hash(digest, row["body"])
            yield row["body"], digest.hex() if digest == row["hash"] else "stored hash does not fit"
        after = rows[-1]["exec_seq"]


async def i4(target: Target) -> Broken:
    """The live book against a replay up to the command the book has reached."""
    if target.matcher is None:
        return
    for sequencer in await target.connection.fetch(queries.SEQUENCERS):
        try:
            live = await target.matcher.get(f"/internal/offerings/{sequencer['offering_id']}/state")
        except TokenxError as error:
            yield f"{sequencer['offering_id']}: the matcher does not tell its state: {error.detail}"
            continue
        if live["cmd_seq"] <= sequencer["cmd_seq"]:
            try:
                engine = await _engine_at(target, sequencer["offering_id"], live["cmd_seq"])
            except CommandLogBroken:
                continue  # I3 names it
            if (engine.state_hash(), engine.exec_hash.hex(), engine.exec_seq) != (
                live["book_hash"],
                live["exec_hash"],
                live["exec_seq"],
            ):
                yield f"{sequencer['offering_id']}: the live book differs from a replay to command {live['cmd_seq']}"


async def _engine_at(target: Target, offering_id: str, cmd_seq: int) -> OfferingEngine:
    engine = OfferingEngine(offering_id)
    async for items in _commands(target, offering_id):
        wanted = [item for item in items if item["seq"] <= cmd_seq]
        if not wanted:
            break
        engine.apply(wanted)
    return engine


async def i5(target: Target) -> Broken:
    async for line in _rows(target, queries.ORDER_QUANTITIES_WRONG):
        yield line


async def i6(target: Target) -> Broken:
    async for line in _rows(target, queries.ENTRIES_NOT_ZERO, queries.BALANCES_NOT_POSTINGS, queries.RESERVED_NOT_RESERVATIONS,
                            queries.RESERVATIONS_NOT_OPEN_ORDERS):  # fmt: skip
        yield line


async def i7(target: Target) -> Broken:
    async for line in _rows(target, queries.NEGATIVE_BALANCES):
        yield line


async def i8(target: Target) -> Broken:
    """No trade between a halt and the next resume in the command log."""
    for sequencer in await target.connection.fetch(queries.SEQUENCERS):
        changes = await target.connection.fetch(queries.HALT_COMMANDS, sequencer["offering_id"])
        ends = [change["cmd_seq"] for change in changes[1:]] + [LAST]
        for change, end in zip(changes, ends, strict=True):
            if '"state":"continuous"' not in change["body"]:
                for row in await target.connection.fetch(
                    queries.TRADES_IN_RANGE, sequencer["offering_id"], change["cmd_seq"], end
                ):
                    yield f"{row['what']} traded while the market was halted"


async def i9(target: Target) -> Broken:
    async for line in _rows(target, queries.UNITS_NOT_ON_CHAIN, queries.SUPPLY_NOT_REGISTER):
        yield line


async def i10(target: Target) -> Broken:
    """Every leaf is the hash of its row, every seal chains to the one before, no row is in two seals, every order left a trace."""
    async for line in _rows(
        target, queries.AUDIT_LEAVES_CHANGED, queries.AUDIT_SEALED_TWICE, queries.ORDERS_WITHOUT_AUDIT
    ):
        yield line
    previous, after = ZERO_HASH, 0
    while seals := await target.connection.fetch(queries.AUDIT_SEALS, after, SEAL_PAGE):
        for seal in seals:
            if None in seal["leaves"]:
                yield f"seal {seal['seal_id']}: a sealed audit event is gone"
            elif merkle_root(seal["leaves"]) != seal["root"]:
                yield f"seal {seal['seal_id']}: the root does not fit its events"
            if seal["prev_hash"] != previous or seal["hash"] != seal_hash(
                seal["prev_hash"], seal["root"], len(seal["event_ids"])
            ):
                yield f"seal {seal['seal_id']}: the chain of seals is broken"
            previous, after = seal["hash"], seal["seal_id"]


async def i11(target: Target) -> Broken:
    async for line in _rows(target, queries.NONCES_NOT_DENSE, queries.SETTLED_NOT_ONCE, queries.FINAL_NOT_SETTLED):
        yield line


async def i12(target: Target) -> Broken:
    """Fills have settlements, and nothing was ingested beyond the logs that the database holds."""
    async for line in _rows(target, queries.FILLS_WITHOUT_SETTLEMENT):
        yield line
    for sequencer in await target.connection.fetch(queries.SEQUENCERS):
        if sequencer["exec_cmd_seq"] > sequencer["cmd_seq"]:
            yield f"{sequencer['offering_id']}: an execution of a command that the log does not hold"


INVARIANTS: Final = (
    Invariant("I1", "every accepted order is in the command log exactly once, and nothing else is", i1),
    Invariant("I2", "command, execution and chain event numbers are dense", i2),
    Invariant("I3", "executions and fills equal a fresh replay of the command log, byte for byte", i3),
    Invariant("I4", "the live book equals the replayed book", i4),
    Invariant("I5", "ordered = filled + cancelled + open, per order", i5),
    Invariant("I6", "ledger entries sum to zero; reservations equal open orders", i6),
    Invariant("I7", "no balance and no reservation is negative", i7),
    Invariant("I8", "no trade while the market was halted", i8),
    Invariant("I9", "units in the ledger plus in flight equal the units on chain", i9),
    Invariant("I10", "the audit trail is complete and unchanged", i10),
    Invariant("I11", "one chain transaction per intent, nonces dense, each settlement final once", i11),
    Invariant("I12", "nothing is published that the database does not hold", i12),
)
