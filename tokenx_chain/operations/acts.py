"""Acts of the token standard as steps of an operation: decided by the adapter, once in the life of the operation."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final

from tokenx_chain.chain import Chain
from tokenx_chain.contracts.calls import ZERO_ADDRESS, Call
from tokenx_chain.contracts.token_agent import TokenAgent
from tokenx_chain.networks.rpc import RpcError, UnexpectedAnswer
from tokenx_chain.operations.context import Context, Step
from tokenx_chain.operations.errors import OperationFailed
from tokenx_chain.standards.erc3643 import Erc3643Adapter
from tokenx_chain.standards.protocol import Act, Keys, TokenStandard

KEYS: Final = Keys()
_SENT_BEFORE: Final = Call(to=ZERO_ADDRESS, data=b"", gas=0)
"""Stands for the call of a step that is journaled: it is not sent again."""
Asked = Callable[[TokenStandard], Awaitable[Act]]


async def decided(chain: Chain, asked: Asked) -> Act:
    """What the adapter lets be sent. Raises ActRefused; OperationFailed for contracts that are not what they are taken for; RpcError and
    RpcUnavailable for a node in trouble."""
    try:
        return await asked(Erc3643Adapter(chain))
    except UnexpectedAnswer as error:
        raise OperationFailed("chain.not_a_token", "the contract does not answer as the standard says") from error
    except RpcError as error:
        if not error.is_revert:
            raise
        refusal = chain.refusal(error)
        raise OperationFailed(refusal.code, refusal.detail) from error


async def step(ctx: Context, name: str, asked: Asked, *, holder: str | None = None, gas: int | None = None) -> Step:
    """The act as a step. One that was sent is not looked at again, for it has changed what it was decided on.

    holder: the holder's key for a holder's act. gas: where the act depends on steps before it and cannot be tried out."""
    if ctx.was_sent(name):
        return Step(name, _SENT_BEFORE, holder or KEYS.token_agent)
    act = await decided(ctx.chain, asked)
    call = act.call if gas is None else replace(act.call, gas=gas)
    return Step(name, call, KEYS.of(act.by, holder=holder))


async def carry_out(ctx: Context, name: str, asked: Asked) -> dict[str, Any]:
    """Returns {tx_hash}."""
    entries = await ctx.send_all([await step(ctx, name, asked)])
    await ctx.mined(entries)
    return {"tx_hash": entries[0].tx_hash}


async def carry_out_on(ctx: Context, name: str, asked: Asked, *, token: str, holders: list[str]) -> dict[str, Any]:
    """Returns {tx_hash, unfrozen: {holder: units}}: which frozen units of the holders it set free, by its own logs."""
    entries = await ctx.send_all([await step(ctx, name, asked)])
    (receipt,) = await ctx.mined(entries)
    agent = TokenAgent(ctx.chain.artifacts.abi("Token"), token)
    freed = {holder: agent.unfrozen_units(receipt.logs, holder) for holder in dict.fromkeys(holders)}
    unfrozen = {holder: str(units) for holder, units in freed.items() if units}
    return {"tx_hash": entries[0].tx_hash, "unfrozen": unfrozen}
