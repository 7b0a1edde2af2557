"""What several redemption use cases share: the gate, the accounts, the audit line, the bell for the workflow."""

from datetime import datetime
from typing import Any, Final

from tokenx_api.audit import service as audit
from tokenx_api.compliance import service as compliance
from tokenx_api.compliance.models import Decision, Question
from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.outbox import service as outbox
from tokenx_api.redemptions import queries
from tokenx_api.redemptions.models import Redemption, Status
from tokenx_common.errors import NotFound

UNDECIDED: Final[tuple[Status, ...]] = ("requested", "awaiting_approval")
WORKER: Final = "service:worker"
CHAIN: Final = "service:chain"


async def load(conn: ReadConn, redemption_id: str) -> Redemption:
    """Raises NotFound."""
    found = await queries.select(conn, redemption_id)
    if found is None:
        raise NotFound("redemption")
    return found


async def locked(conn: WriteConn, redemption_id: str) -> Redemption:
    """The row is the caller's until the transaction ends. Raises NotFound."""
    await queries.lock(conn, redemption_id)
    return await load(conn, redemption_id)


async def decide(
    conn: WriteConn,
    *,
    redemption_id: str,
    investor_id: str,
    offering_id: str,
    units: int,
    reserved_units: int,
    now: datetime,
) -> Decision:
    """May this holder give up these units? reserved_units: how many of them this redemption holds already."""
    question = Question(
        stage="pre_transfer",
        subject_type="redemption",
        subject_id=redemption_id,
        investor_id=investor_id,
        offering_id=offering_id,
        side="sell",
        units=units,
        released_units=reserved_units,
    )
    return await compliance.decide(conn, question, now=now)


async def ring(conn: WriteConn, redemption: Redemption, *, signal: str, event_id: str) -> None:
    """Tell the workflow to look again, after the commit."""
    await outbox.signal_workflow(
        conn,
        workflow_id=redemption.workflow_id,
        signal=signal,
        event_id=event_id,
        argument={"event_id": event_id},
    )


async def record(conn: WriteConn, redemption_id: str, *, actor: str, action: str, **detail: Any) -> None:
    await audit.record(conn, actor=actor, action=action, subject_type="redemption", subject_id=redemption_id, **detail)
