"""Why a movement would be refused: asked by read-only calls before anything is sent, of TransferLens in one question where it is deployed,
else of the token, the registry and each rule in turn.

The stock token answers "Transfer not possible" whatever the reason, and looks at the receiver only. Here the reason has a code and a side,
the sender must be verified too, and a movement to oneself is refused."""

from dataclasses import replace
from typing import Final, Literal

from tokenx_chain.chain import Chain
from tokenx_chain.contracts.calls import ZERO_ADDRESS, Call, Read, Value
from tokenx_chain.contracts.compliance import Compliance
from tokenx_chain.contracts.identity_registry import IdentityRegistry
from tokenx_chain.contracts.modules import (
    REASON_CODES,
    RECEIVER_CODES,
    SENDER_CODES,
    Finding,
    Rule,
    TransferLens,
    reason_text,
)
from tokenx_chain.contracts.token import Token
from tokenx_chain.contracts.token_agent import TokenAgent
from tokenx_chain.networks.rpc import RpcError, UnexpectedAnswer
from tokenx_chain.standards.errors import Obstacle, Side

_RULE_ABI: Final = "CountryBlock"
"""All our modules answer `reason`, and all modules `moduleCheck` and `name`, under the same signatures."""
_IDENTITY: Final = "identity"
_OF_TOKEN: Final = {
    "TOKEN_PAUSED": "pause", "SENDER_FROZEN": "freeze", "RECEIVER_FROZEN": "freeze", "BALANCE_INSUFFICIENT": "balance", "UNITS_FROZEN": "frozen_units",
    "SELF_TRANSFER": "self_transfer", "ZERO_AMOUNT": "amount", "SENDER_NOT_VERIFIED": _IDENTITY, "RECEIVER_NOT_VERIFIED": _IDENTITY,
}  # fmt: skip
"""What no module says but the token or its registry, by the lens's code."""


class Asking:
    """Questions to one chain. Raises RpcError, RpcUnavailable."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._abi = chain.artifacts.abi

    async def transfer(self, token: Token, *, sender: str, receiver: str, units: int, spender: str | None = None) -> Obstacle | None:  # fmt: skip
        """Everything that may stand against a holder's transfer, in the order in which it is said; None when it would go through."""
        if (wrong := _by_itself(sender=sender, receiver=receiver, units=units)) is not None:
            return wrong
        found = await self._by_lens(token, sender=sender, receiver=receiver, units=units)
        if found is not None:
            return (
                next(iter(found), None)
                or await self._allowance(token, sender=sender, spender=spender, units=units)
                or await self._tried_out(token, sender=sender, receiver=receiver, units=units, spender=spender)
            )
        return (
            await self._of_token(token, sender=sender, receiver=receiver, units=units)
            or await self._allowance(token, sender=sender, spender=spender, units=units)
            or await self._identities(token, sender=sender, receiver=receiver)
            or await self._rules(token, sender=sender, receiver=receiver, units=units)
            or await self._tried_out(token, sender=sender, receiver=receiver, units=units, spender=spender)
        )

    async def mint(self, token: Token, *, receiver: str, units: int) -> Obstacle | None:
        """Agents pass pause and freezes, but not the registry and the rules."""
        if units <= 0:
            return _zero(units)
        found = await self._by_lens(token, sender=None, receiver=receiver, units=units)
        if found is not None:
            return next(iter(found), None)
        return await self._identities(token, sender=None, receiver=receiver) or await self._rules(
            token, sender=ZERO_ADDRESS, receiver=receiver, units=units
        )

    async def _by_lens(self, token: Token, *, sender: str | None, receiver: str, units: int) -> list[Obstacle] | None:
        """What the lens finds, the first with all others beside it; None where there is no lens, or it cannot see through the token."""
        address = self._chain.registry.address("TransferLens")
        if address is None:
            return None
        lens = TransferLens(self._abi("TransferLens"), address)
        found = await self._perhaps(lens.findings(token.address, sender=sender, receiver=receiver, units=units))
        if found is None:
            return None
        obstacles = [await self._obstacle(finding) for finding in found]
        return [replace(obstacles[0], further=tuple(obstacles[1:]))] if obstacles else []

    async def _obstacle(self, finding: Finding) -> Obstacle:
        """By the names the questions in turn have too."""
        rule = _OF_TOKEN.get(finding.on_chain)
        nobodys: Side = "token" if rule else "rule"
        side = finding.side or nobodys
        return Obstacle(finding.code, finding.on_chain, side, rule or await self._name(finding.rule))

    async def _of_token(self, token: Token, *, sender: str, receiver: str, units: int) -> Obstacle | None:
        flags = [token.is_paused(), token.is_frozen(sender), token.is_frozen(receiver)]
        (paused, sender_frozen, receiver_frozen), (balance, locked) = (
            await self._chain.node.read_all(flags),
            await self._chain.node.read_all([token.balance(sender), token.frozen_units(sender)]),
        )
        if paused:
            return Obstacle("token.paused", "the token is paused", "token", "pause")
        if sender_frozen or receiver_frozen:
            side: Literal["sender", "receiver"] = "sender" if sender_frozen else "receiver"
            return Obstacle("wallet.frozen", f"the {side} is frozen", side, "freeze")
        free = max(0, balance - locked)
        if free >= units:
            return None
        rule = "balance" if balance < units else "frozen_units"
        return Obstacle("balance.insufficient", f"{free} of {balance} units are free", "sender", rule)

    async def _allowance(self, token: Token, *, sender: str, spender: str | None, units: int) -> Obstacle | None:
        if spender is None:
            return None
        allowed = await self._read(token.allowance(holder=sender, spender=spender))
        if allowed >= units:
            return None
        return Obstacle("allowance.insufficient", f"{allowed} of {units} units are allowed", "sender", "allowance")

    async def _identities(self, token: Token, *, sender: str | None, receiver: str) -> Obstacle | None:
        registry = IdentityRegistry(self._abi("IdentityRegistry"), await self._read(token.identity_registry()))
        if sender is not None and not await self._read(registry.is_verified(sender)):
            return Obstacle("identity.sender_not_verified", "the sender has no valid KYC claim", "sender", _IDENTITY)
        if not await self._read(registry.is_verified(receiver)):
            return Obstacle("identity.not_verified", "the receiver has no valid KYC claim", "receiver", _IDENTITY)
        return None

    async def _rules(self, token: Token, *, sender: str, receiver: str, units: int) -> Obstacle | None:
        compliance = await self._read(token.compliance())
        for module in await self._read(Compliance(self._abi("ModularCompliance"), compliance).modules()):
            found = await self._rule(module, sender=sender, receiver=receiver, units=units, compliance=compliance)
            if found is not None:
                return found
        return None

    async def _rule(self, module: str, *, sender: str, receiver: str, units: int, compliance: str) -> Obstacle | None:
        """What one rule says: by its reason; where it gives none, by yes or no."""
        rule = Rule(self._abi(_RULE_ABI), module)
        code = await self._perhaps(rule.reason(sender=sender, receiver=receiver, units=units, compliance=compliance))
        if code is not None:
            text = reason_text(code)
            return _refused_by(text, await self._name(module)) if text else None
        check = self._abi(_RULE_ABI).read(module, "moduleCheck", sender, receiver, units, compliance, as_type=bool)
        if await self._perhaps(check):
            return None
        return Obstacle("compliance.refused", "the rule refuses and says no more", "rule", await self._name(module))

    async def _name(self, module: str) -> str:
        """The rule's own name, its address when it has none."""
        return await self._perhaps(self._abi(_RULE_ABI).read(module, "name", as_type=str)) or module

    async def _tried_out(self, token: Token, *, sender: str, receiver: str, units: int, spender: str | None) -> Obstacle | None:  # fmt: skip
        """The last word: the call itself, run without being sent. Catches what no question above was about."""
        call = token.transfer(to=receiver, units=units)
        if spender is not None:
            call = TokenAgent(self._abi("Token"), token.address).transfer_from(sender=sender, receiver=receiver, units=units)  # fmt: skip
        return await self.tried_out(call, sender=spender or sender)

    async def tried_out(self, call: Call, *, sender: str) -> Obstacle | None:
        """Why a call would revert, decoded; None when it would not."""
        try:
            await self._chain.node.simulate(call, sender=sender)
        except RpcError as error:
            if not error.is_revert:
                raise
            refusal = self._chain.refusal(error)
            return Obstacle(refusal.code, refusal.detail, "token", "contract")
        return None

    async def _read(self, read: Read[Value]) -> Value:
        return await self._chain.node.read(read)

    async def _perhaps(self, read: Read[Value]) -> Value | None:
        """The answer, None where the contract has none: it reverts, or returns something else."""
        try:
            return await self._chain.node.read(read)
        except UnexpectedAnswer:
            return None
        except RpcError as error:
            if not error.is_revert:
                raise
            return None


def _by_itself(*, sender: str, receiver: str, units: int) -> Obstacle | None:
    if sender == receiver:
        return Obstacle("transfer.to_self", "sender and receiver are the same", "sender", "self_transfer")
    return _zero(units) if units <= 0 else None


def _zero(units: int) -> Obstacle:
    return Obstacle("amount.zero", f"units must be positive, were {units}", "token", "amount")


def _refused_by(text: str, name: str) -> Obstacle:
    side: Side = "sender" if text in SENDER_CODES else "receiver" if text in RECEIVER_CODES else "rule"
    return Obstacle(REASON_CODES.get(text, "compliance.refused"), text, side, name)
