"""Every kind of operation: its parameters and its program."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from tokenx_chain.operations import (
    agent,
    cash,
    intent,
    investor,
    offering,
    platform,
    recovery,
    revocation,
    rotation,
    settlement,
    subscription,
    token,
)
from tokenx_chain.operations import params as p
from tokenx_chain.operations.context import Context
from tokenx_chain.operations.errors import BadParams

Run = Callable[[Context, Any], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Program:
    """params: what the kind takes. run: the program; returns the operation's result."""

    params: type[p.Params]
    run: Run


PROGRAMS: Final[dict[str, Program]] = {
    "platform.deploy": Program(p.Nothing, platform.deploy),
    "offering.deploy": Program(p.DeployOffering, offering.deploy),
    "investor.register": Program(p.RegisterInvestor, investor.register),
    "investor.unregister": Program(p.UnregisterInvestor, investor.unregister),
    "investor.revoke": Program(p.RevokeInvestor, revocation.revoke),
    "investor.recover": Program(p.RecoverInvestor, recovery.recover),
    "cash.mint": Program(p.MintCash, cash.mint),
    "cash.transfer": Program(p.TransferCash, cash.transfer),
    "subscription.issue": Program(p.IssueSubscription, subscription.issue),
    "token.mint": Program(p.MintToken, agent.mint),
    "token.mint_batch": Program(p.MintBatch, agent.mint),
    "token.burn": Program(p.BurnToken, agent.burn),
    "token.burn_batch": Program(p.BurnBatch, agent.burn),
    "token.transfer": Program(p.TransferToken, token.transfer),
    "token.transfer_batch": Program(p.TransferBatch, token.transfer_batch),
    "token.freeze": Program(p.FreezeToken, agent.freeze),
    "token.freeze_batch": Program(p.FreezeBatch, agent.freeze),
    "token.force_transfer": Program(p.ForceTransfer, agent.force_transfer),
    "token.force_transfer_batch": Program(p.ForceTransferBatch, agent.force_transfer),
    "token.freeze_units": Program(p.FreezeUnits, agent.freeze_units),
    "token.freeze_units_batch": Program(p.FreezeUnitsBatch, agent.freeze_units),
    "token.pause": Program(p.PauseToken, agent.pause),
    "settlement.batch": Program(p.SettleBatch, settlement.settle),
    "redemption.payout": Program(p.PayRedemption, cash.pay_redemption),
    "signer.rotate": Program(p.RotateSigner, rotation.rotate),
    intent.KIND: Program(intent.SendTransaction, intent.send),
}


def parse_params(kind: str, params: dict[str, Any]) -> p.Params:
    """The parameters, checked. Raises BadParams in one line."""
    program = PROGRAMS.get(kind)
    if program is None:
        raise BadParams(f"unknown kind {kind}")
    try:
        return program.params.model_validate(params)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise BadParams(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from None
