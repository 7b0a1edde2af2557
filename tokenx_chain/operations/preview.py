"""Would an operation be refused, and why: asked before anything is sent, by the api's compliance gate among others."""

from tokenx_chain.chain import Chain
from tokenx_chain.contracts.calls import Call
from tokenx_chain.contracts.errors import Refusal
from tokenx_chain.networks.rpc import RpcError
from tokenx_chain.operations import agent
from tokenx_chain.operations import params as p
from tokenx_chain.operations.acts import Asked, decided
from tokenx_chain.operations.errors import BadParams, OperationFailed
from tokenx_chain.operations.keys import PLATFORM, TREASURY
from tokenx_chain.standards.erc3643 import Erc3643
from tokenx_chain.standards.errors import ActRefused


async def preview(chain: Chain, kind: str, params: p.Params) -> Refusal | None:
    """None: nothing stands against it now. Raises BadParams for a kind that cannot be tried out; RpcError, RpcUnavailable."""
    match params:
        case p.TransferToken():
            sender = await chain.address(params.from_key_ref)
            return await Erc3643(chain).can_transfer(Erc3643(chain).token(params.token), sender=sender, receiver=params.to, units=params.units)  # fmt: skip
        case p.TransferBatch():
            sender = await chain.address(params.from_key_ref)
            units = agent.units_by_wallet(params.items)
            return await _act(chain, lambda to: to.transfer_batch(params.token, sender=sender, units_by_receiver=units), params.from_key_ref)  # fmt: skip
        case (
            p.MintToken() | p.BurnToken() | p.FreezeToken() | p.ForceTransfer() | p.FreezeUnits() | p.PauseToken()
            | p.MintBatch() | p.BurnBatch() | p.FreezeBatch() | p.ForceTransferBatch() | p.FreezeUnitsBatch()
        ):  # fmt: skip
            return await _act(chain, lambda to: agent.asked(to, params), PLATFORM)
        case p.TransferCash():
            return await _try(chain, Erc3643(chain).coin.transfer(to=params.to, amount=params.amount), params.from_key_ref)  # fmt: skip
        case p.PayRedemption():
            to = await chain.address(params.to_key_ref)
            return await _try(chain, Erc3643(chain).coin.transfer(to=to, amount=params.amount), TREASURY)
        case p.IssueSubscription():
            return await _subscription(chain, params)
        case p.SettleBatch():
            return await _settlement(chain, params)
        case _:
            raise BadParams(f"{kind} cannot be tried out")


async def _act(chain: Chain, asked: Asked, key_ref: str) -> Refusal | None:
    """What the adapter says; where it has nothing to say, what the contract says."""
    try:
        act = await decided(chain, asked)
    except ActRefused as refused:
        return refused.obstacle or Refusal(refused.code, refused.detail)
    except OperationFailed as failure:
        return Refusal(failure.code, failure.detail)
    return await _try(chain, act.call, key_ref)


async def _subscription(chain: Chain, params: p.IssueSubscription) -> Refusal | None:
    standard = Erc3643(chain)
    receiver = await chain.address(params.to_key_ref)
    payer = await chain.address(params.cash_from_key_ref)
    short = await _lacks_cash(chain, payer, params.cash_amount)
    return short or await standard.can_mint(standard.token(params.token), receiver=receiver, units=params.units)


async def _settlement(chain: Chain, params: p.SettleBatch) -> Refusal | None:
    """The first fill that would fail, each looked at on its own."""
    standard = Erc3643(chain)
    for fill in params.fills:
        seller, buyer = await chain.address(fill.seller_key_ref), await chain.address(fill.buyer_key_ref)
        refusal = await _lacks_cash(chain, buyer, fill.cash_amount) or await standard.can_transfer(
            standard.token(fill.token), sender=seller, receiver=buyer, units=fill.units
        )
        if refusal is not None:
            return Refusal(refusal.code, f"{fill.settlement_id}: {refusal.detail}")
    return None


async def _lacks_cash(chain: Chain, payer: str, amount: int) -> Refusal | None:
    balance = await chain.node.read(Erc3643(chain).coin.balance(payer))
    return Refusal("cash.insufficient", f"{balance} of {amount} base units") if balance < amount else None


async def _try(chain: Chain, call: Call, key_ref: str) -> Refusal | None:
    try:
        await chain.node.simulate(call, sender=await chain.address(key_ref))
    except RpcError as error:
        if error.is_revert:
            return chain.refusal(error)
        raise
    return None
