"""Keys being replaced: asked for, moved on by the chain service, looked at by staff."""

import hashlib
from typing import Any

import asyncpg

from tokenx_api.audit import service as audit
from tokenx_api.db import ReadConn, Record, WriteConn
from tokenx_api.tokenization import queries
from tokenx_api.tokenization.errors import IntentKeyReused, RotationUnderWay
from tokenx_api.tokenization.models import (
    IntentAnswer,
    JournaledRotation,
    RotationBody,
    RotationList,
    RotationRecord,
    RotationRow,
)
from tokenx_common.canonical import canonical_json
from tokenx_common.clock import rfc3339

SHOWN = 100
ALL = 10_000
"""What the chain service is told at its start: every switch of a chain there ever was. A rotation takes people; this many take centuries."""


async def request_rotation(conn: WriteConn, body: RotationBody) -> IntentAnswer:
    """Record a rotation once for each key. Raises RotationUnderWay, IntentKeyReused."""
    sha256 = hashlib.sha256(canonical_json({"name": body.name, "force": body.force, "by": body.requested_by}).encode()).digest()  # fmt: skip
    try:
        is_new = await queries.insert_rotation(conn, body, sha256)
    except asyncpg.UniqueViolationError:
        raise RotationUnderWay(f"another rotation of {body.name} has not ended") from None
    if is_new:
        await audit.record(conn, actor=f"service:{body.requested_by}", action="signer.rotation_requested", subject_type="operation",
                           subject_id=body.operation_id, chain_id=body.chain_id)  # fmt: skip
        return IntentAnswer(operation_id=body.operation_id, is_new=True)
    found = await queries.select_intent(conn, chain_id=body.chain_id, idempotency_key=body.idempotency_key)
    assert found is not None, "the key was in the way a moment ago and keys are never deleted"
    if found["request_sha256"] != sha256:
        raise IntentKeyReused("this Idempotency-Key came before with another request", operation_id=found["operation_id"])  # fmt: skip
    return IntentAnswer(operation_id=found["operation_id"], is_new=False)


async def move_rotation(conn: WriteConn, *, chain_id: int, record: RotationRecord) -> None:
    """Raises RotationUnderWay when the name was switched from this epoch before."""
    try:
        await queries.update_rotation(conn, chain_id=chain_id, record=record)
    except asyncpg.UniqueViolationError:
        raise RotationUnderWay("another rotation has switched this key before") from None


async def journaled_rotations(conn: ReadConn, chain_id: int) -> list[JournaledRotation]:
    """Newest first."""
    rows = await queries.select_rotations(conn, chain_id=chain_id, name=None, limit=ALL)
    return [JournaledRotation(**_with_times(row)) for row in rows]


async def rotations(conn: ReadConn, *, chain_id: int, name: str) -> RotationList:
    """Of one name, newest first."""
    rows = [_with_times(row) for row in await queries.select_rotations(conn, chain_id=chain_id, name=name, limit=SHOWN)]
    return RotationList(
        rotations=[RotationRow(**{key: row[key] for key in row if key != "idempotency_key"}) for row in rows]
    )


def _with_times(row: Record) -> dict[str, Any]:
    return {key: rfc3339(value) if key.endswith("_at") and value else value for key, value in row.items()}
