"""What staff may do about one transaction. The chain service does it; here it is asked for by name, with a reason, in the audit trail."""

from typing import Literal

from tokenx_api.audit import service as audit
from tokenx_api.db import WriteConn
from tokenx_api.tokenization.models import SimulationBody, SimulationView
from tokenx_api.tokenization.service.intents import transaction
from tokenx_common.http import ServiceClient

Verb = Literal["cancel", "speed-up"]
_ACTIONS: dict[Verb, str] = {"cancel": "transaction.cancel_requested", "speed-up": "transaction.speed_up_requested"}


async def cancel(conn: WriteConn, *, tx_id: str, actor: str, reason: str) -> int:
    """Write down that somebody wants it withdrawn; the chain it is on. Raises NotFound."""
    return await _note(conn, "cancel", tx_id=tx_id, actor=actor, reason=reason)


async def speed_up(conn: WriteConn, *, tx_id: str, actor: str, reason: str) -> int:
    """Write down that somebody offers more for it; the chain it is on. Raises NotFound."""
    return await _note(conn, "speed-up", tx_id=tx_id, actor=actor, reason=reason)


async def _note(conn: WriteConn, verb: Verb, *, tx_id: str, actor: str, reason: str) -> int:
    """Committed before the chain service is asked: what became of it is in the transaction's own history."""
    found = await transaction(conn, chain_id=None, tx_id=tx_id)
    await audit.record(conn, actor=actor, action=_ACTIONS[verb], subject_type="transaction", subject_id=tx_id,
                       chain_id=found.chain_id, state=found.state, reason=reason)  # fmt: skip
    return found.chain_id


async def simulate(chain: ServiceClient, body: SimulationBody) -> SimulationView:
    """Would it revert now, what gas does it need, and would the policy let it be signed. Raises TokenxError as the chain service does."""
    return SimulationView(**await chain.post("/v1/transactions:simulate", body.model_dump()))
