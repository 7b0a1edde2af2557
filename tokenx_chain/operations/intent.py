"""transaction.send: one call that was asked for from outside, as it is. The policy decides whether it may be signed."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import Field

from tokenx_chain.contracts.calls import Call
from tokenx_chain.operations.context import Context, Step
from tokenx_chain.operations.errors import OperationFailed
from tokenx_chain.operations.params import Address, KeyRef, Params
from tokenx_common.clock import utc_now

KIND: Final = "transaction.send"
STEP: Final = "send"
MAX_CALLDATA_BYTES: Final = 100_000
"""Under every network's own limit; Hedera's is the lowest with 131,072."""


class SendTransaction(Params):
    """A single call somebody asked for. data as 0x-hexadecimal. not_after: unix seconds after which it must not be signed any more."""

    key_ref: KeyRef
    to: Address
    data: Annotated[str, Field(pattern=r"^0x([0-9a-fA-F]{2})*$", max_length=2 + 2 * MAX_CALLDATA_BYTES)] = "0x"
    value: Annotated[int, Field(ge=0, lt=2**255)] = 0
    gas: Annotated[int | None, Field(ge=21_000, le=30_000_000)] = None
    safe_to_rebind: bool = False
    not_after: int | None = None


async def send(ctx: Context, params: SendTransaction) -> dict[str, Any]:
    """Returns {tx_hash}."""
    if not ctx.was_sent(STEP) and params.not_after is not None and utc_now().timestamp() > params.not_after:
        raise OperationFailed("transaction.expired", "it was not signed before its time was over")
    deadline = None if params.not_after is None else datetime.fromtimestamp(params.not_after, UTC)
    entries = await ctx.send_all([Step(STEP, as_call(params), params.key_ref, params.safe_to_rebind, deadline)])
    await ctx.mined(entries)
    return {"tx_hash": entries[0].tx_hash}


def as_call(params: SendTransaction) -> Call:
    """The call behind a request."""
    return Call(to=params.to, data=bytes.fromhex(params.data[2:]), gas=params.gas, value=params.value)
