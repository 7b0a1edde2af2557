"""Every act of ERC-3643 as a function: what must not be sent is refused here, everything else becomes a call and the power it needs.

Agents pass pause, freezes and the rules on chain. What only an agent may do is therefore checked here for what the contracts let pass and
should not, and is otherwise left to the policy and to the second person it asks for."""

from collections.abc import Mapping, Sequence
from typing import Final

from tokenx_chain.chain import Chain
from tokenx_chain.contracts.calls import ZERO_ADDRESS, Call, Read, Value
from tokenx_chain.contracts.claims import SIGNATURE_BYTES, ClaimPolicy, Claims, RegistryUpdates
from tokenx_chain.contracts.compliance import Compliance
from tokenx_chain.contracts.identity import ClaimIssuer
from tokenx_chain.contracts.identity_registry import IdentityRegistry
from tokenx_chain.contracts.roles import Roles
from tokenx_chain.contracts.suite_design import SuiteDesign
from tokenx_chain.contracts.token import Token
from tokenx_chain.contracts.token_agent import TokenAgent
from tokenx_chain.standards.erc3643.asking import Asking
from tokenx_chain.standards.erc3643.contracts import Erc3643
from tokenx_chain.standards.errors import ActRefused, Obstacle, Side
from tokenx_chain.standards.protocol import Act, Movement, Power

MAX_BATCH: Final = 50
"""Items in one transaction: a batch of transfers under several rules stays below the 16.7 million gas of EIP-7825."""
MAX_RULES: Final = 25
_RECOVERY_IDS: Final = (27, 28)


class Erc3643Adapter:
    """TokenStandard on one chain."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._abi = chain.artifacts.abi
        self._contracts = Erc3643(chain)
        self._asking = Asking(chain)

    # Questions

    async def can_transfer(self, token: str, *, sender: str, receiver: str, units: int, spender: str | None = None) -> Obstacle | None:  # fmt: skip
        return await self._asking.transfer(self._token(token), sender=sender, receiver=receiver, units=units, spender=spender)  # fmt: skip

    async def can_receive(self, token: str, *, receiver: str, units: int) -> Obstacle | None:
        return await self._asking.mint(self._token(token), receiver=receiver, units=units)

    # The suite, its roles and its rules

    async def deploy_suite(self, design: SuiteDesign) -> Act:
        """Refused: more than the factory takes, a spent salt, an identity table the factory cannot bind the new registry to."""
        if (excess := design.excess()) is not None:
            raise ActRefused("suite.too_much", excess)
        factory = self._contracts.suites
        if await self._read(factory.token_of(design.salt)) != ZERO_ADDRESS:
            raise ActRefused("token.already_deployed", f"the salt {design.salt} is spent")
        if design.storage != ZERO_ADDRESS:
            owner = await self._read(Roles(self._abi("IdentityRegistryStorage"), design.storage).owner())
            if owner != factory.address:
                raise ActRefused("suite.storage_not_shared", "the identity table does not belong to the suite factory")
        return Act(design.deployment(factory.abi, factory.address), Power.DEPLOYER)

    @property
    def shared_storage(self) -> str:
        """The chain's identity table, which every suite uses unless designed otherwise. Raises PlatformNotDeployed."""
        return self._chain.registry.require("IdentityRegistryStorage")

    async def grant_agent(self, contract: str, agent: str) -> Act:
        if await self._read(self._roles(contract).is_agent(agent)):
            raise ActRefused("role.already_agent", f"{agent} is an agent already")
        return Act(self._roles(contract).add_agent(agent), Power.OWNER)

    async def withdraw_agent(self, contract: str, agent: str) -> Act:
        if not await self._read(self._roles(contract).is_agent(agent)):
            raise ActRefused("role.not_agent", f"{agent} is no agent")
        return Act(self._roles(contract).remove_agent(agent), Power.OWNER)

    async def hand_over(self, contract: str, owner: str) -> Act:
        _not_zero(owner)
        return Act(self._roles(contract).transfer_ownership(owner), Power.OWNER)

    async def bind_rule(self, token: str, rule: str) -> Act:
        compliance = await self._compliance(token)
        bound = await self._read(compliance.modules())
        if rule in bound:
            raise ActRefused("compliance.already_bound", f"{rule} is bound already")
        if len(bound) >= MAX_RULES:
            raise ActRefused("compliance.too_many_rules", f"{len(bound)} rules are bound, at most {MAX_RULES}")
        return Act(compliance.add_module(rule), Power.OWNER)

    async def unbind_rule(self, token: str, rule: str) -> Act:
        compliance = await self._bound(token, rule)
        return Act(compliance.remove_module(rule), Power.OWNER)

    async def set_rule(self, token: str, rule: str, setting: bytes) -> Act:
        compliance = await self._bound(token, rule)
        return Act(compliance.configure(rule, setting), Power.OWNER)

    async def claim_policy(self, token: str) -> ClaimPolicy:
        """Which claims a token asks for and whose count; what it answers is sent by the owner."""
        registry = RegistryUpdates(self._abi("IdentityRegistry"), await self._read(self._token(token).identity_registry()))  # fmt: skip
        topics, issuers = await self._chain.node.read_all([registry.topics_registry(), registry.issuers_registry()])
        return ClaimPolicy(self._abi("ClaimTopicsRegistry"), topics, self._abi("TrustedIssuersRegistry"), issuers)

    # Identities and claims

    async def create_identity(self, *, wallet: str, manager: str) -> Act:
        """A wallet has one identity for ever: its name in the factory is the wallet's address."""
        if await self._read(self._contracts.identities.identity_of(wallet)) != ZERO_ADDRESS:
            raise ActRefused("identity.already_created", f"{wallet} has an identity")
        call = self._contracts.identities.create_identity(wallet=wallet, salt=wallet, manager=manager)
        return Act(call, Power.DEPLOYER)

    async def register_identity(self, *, wallet: str, identity: str, country: int) -> Act:
        _not_zero(wallet, identity)
        if await self._read(self._registry.contains(wallet)):
            raise ActRefused("identity.already_registered", f"{wallet} is registered")
        return Act(self._registry.register(wallet=wallet, identity=identity, country=country), Power.REGISTRY_AGENT)

    async def register_identities(self, entries: Mapping[str, tuple[str, int]]) -> Act:
        """entries: (identity, country) by wallet. All or none."""
        _fits(len(entries))
        stored = await self._chain.node.read_all([self._registry.contains(wallet) for wallet in entries])
        for wallet, is_stored in zip(entries, stored, strict=True):
            if is_stored:
                raise ActRefused("identity.already_registered", f"{wallet} is registered")
        identities, countries = [identity for identity, _ in entries.values()], [country for _, country in entries.values()]  # fmt: skip
        return Act(self._updates.batch_register(list(entries), identities, countries), Power.REGISTRY_AGENT)

    async def update_identity(self, *, wallet: str, identity: str) -> Act:
        _not_zero(identity)
        await self._must_be_registered(wallet)
        return Act(self._updates.update_identity(wallet=wallet, identity=identity), Power.REGISTRY_AGENT)

    async def update_country(self, *, wallet: str, country: int) -> Act:
        await self._must_be_registered(wallet)
        return Act(self._updates.update_country(wallet=wallet, country=country), Power.REGISTRY_AGENT)

    async def remove_identity(self, wallet: str) -> Act:
        await self._must_be_registered(wallet)
        held = await self.balances(wallet)
        if held:
            raise ActRefused("identity.holds_tokens", f"the wallet still holds units of {len(held)} tokens")
        return Act(self._registry.delete(wallet), Power.REGISTRY_AGENT)

    async def balances(self, wallet: str) -> dict[str, int]:
        """Units by token, over all tokens of the chain; without those of which the wallet has none."""
        tokens = self._chain.registry.tokens()
        units = await self._chain.node.read_all([self._token(token).balance(wallet) for token in tokens])
        return {token: held for token, held in zip(tokens, units, strict=True) if held}

    async def add_claim(self, identity: str, *, topic: int, issuer: str, signature: bytes, data: bytes) -> Act:
        """Refused: a signature written in another way than signers write it, one that was revoked, one that does not fit."""
        if len(signature) != SIGNATURE_BYTES or signature[-1] not in _RECOVERY_IDS:
            raise ActRefused("claim.signature_form", "the signature is not 65 bytes that end in 27 or 28")
        contract = ClaimIssuer(self._abi("ClaimIssuer"), issuer)
        if await self._read(contract.is_revoked(signature)):
            raise ActRefused("claim.already_revoked", "this claim was revoked")
        is_valid = contract.abi.read(issuer, "isClaimValid", identity, topic, signature, data, as_type=bool)
        if not await self._read(is_valid):
            raise ActRefused("claim.invalid", "the issuer does not stand for this signature")
        call = self._claims(identity).add(topic=topic, issuer=issuer, signature=signature, data=data)
        return Act(call, Power.IDENTITY_MANAGER)

    async def remove_claim(self, identity: str, *, topic: int, issuer: str) -> Act:
        return Act(self._claims(identity).remove(topic=topic, issuer=issuer), Power.IDENTITY_MANAGER)

    async def revoke_claim(self, issuer: str, *, signature: bytes) -> Act:
        """By signature, never by claim id. It alone is not a revocation: see investor.revoke."""
        contract = ClaimIssuer(self._abi("ClaimIssuer"), issuer)
        if await self._read(contract.is_revoked(signature)):
            raise ActRefused("claim.already_revoked", "this claim was revoked")
        return Act(contract.revoke(signature), Power.CLAIM_MANAGER)

    # Units

    async def mint(self, token: str, *, receiver: str, units: int) -> Act:
        _open(await self.can_receive(token, receiver=receiver, units=units))
        return _by_agent(self._token(token).mint(to=receiver, units=units))

    async def burn(self, token: str, *, holder: str, units: int) -> Act:
        _positive(units)
        await self._must_hold(token, {holder: units})
        return _by_agent(self._token(token).burn(holder=holder, units=units))

    async def transfer(self, token: str, *, sender: str, receiver: str, units: int) -> Act:
        _open(await self.can_transfer(token, sender=sender, receiver=receiver, units=units))
        return Act(self._token(token).transfer(to=receiver, units=units), Power.HOLDER)

    async def transfer_from(self, token: str, *, spender: str, sender: str, receiver: str, units: int) -> Act:
        _open(await self.can_transfer(token, sender=sender, receiver=receiver, units=units, spender=spender))
        return Act(self._agent(token).transfer_from(sender=sender, receiver=receiver, units=units), Power.HOLDER)

    async def force_transfer(self, token: str, *, sender: str, receiver: str, units: int) -> Act:
        """Refused: from a wallet to itself, which would only set its frozen units free."""
        await self._check_forced(token, [Movement(sender, receiver, units)])
        return _by_agent(self._agent(token).forced_transfer(sender=sender, receiver=receiver, units=units))

    async def freeze(self, token: str, holder: str) -> Act:
        return _by_agent(self._token(token).set_frozen(holder=holder, frozen=True))

    async def unfreeze(self, token: str, holder: str) -> Act:
        return _by_agent(self._token(token).set_frozen(holder=holder, frozen=False))

    async def freeze_units(self, token: str, *, holder: str, units: int) -> Act:
        _positive(units)
        await self._must_be_free(token, {holder: units})
        return _by_agent(self._agent(token).freeze_units(holder=holder, units=units))

    async def unfreeze_units(self, token: str, *, holder: str, units: int) -> Act:
        _positive(units)
        await self._must_be_frozen(token, {holder: units})
        return _by_agent(self._agent(token).unfreeze_units(holder=holder, units=units))

    async def pause(self, token: str) -> Act:
        if await self._read(self._token(token).is_paused()):
            raise _stopped("token.paused", "the token is paused already", "token", "pause")
        return _by_agent(self._agent(token).pause())

    async def unpause(self, token: str) -> Act:
        if not await self._read(self._token(token).is_paused()):
            raise _stopped("token.not_paused", "the token is not paused", "token", "pause")
        return _by_agent(self._agent(token).unpause())

    async def recover(self, token: str, *, lost: str, fresh: str, identity: str) -> Act:
        """One token's recovery by its own function. It takes the lost wallet off the registry, so it serves an investor who holds this
        token only; investor.recover serves all. Refused: where that would leave units of another token behind."""
        if lost == fresh:
            raise ActRefused("transfer.to_self", "lost and new wallet are the same")
        held = await self.balances(lost)
        if token not in held:
            raise ActRefused("recovery.nothing_held", "no tokens to recover")
        if len(held) > 1:
            raise ActRefused("recovery.several_tokens", f"the wallet holds {len(held)} tokens: recover the investor")
        if await self._read(self._registry.contains(fresh)):
            raise ActRefused("identity.already_registered", f"{fresh} is registered")
        if not await self._read(self._claims(identity).is_manager(fresh)):
            raise ActRefused("recovery.not_a_manager", "the new wallet is no management key of the identity")
        return _by_agent(self._agent(token).recover(lost=lost, fresh=fresh, identity=identity))

    # Many at once: all or none

    async def mint_batch(self, token: str, units_by_receiver: Mapping[str, int]) -> Act:
        _fits(len(units_by_receiver))
        for receiver, units in units_by_receiver.items():
            _open(await self.can_receive(token, receiver=receiver, units=units))
        return _by_agent(self._agent(token).batch_mint(list(units_by_receiver), list(units_by_receiver.values())))

    async def burn_batch(self, token: str, units_by_holder: Mapping[str, int]) -> Act:
        _fits(len(units_by_holder), *units_by_holder.values())
        await self._must_hold(token, units_by_holder)
        return _by_agent(self._agent(token).batch_burn(list(units_by_holder), list(units_by_holder.values())))

    async def transfer_batch(self, token: str, *, sender: str, units_by_receiver: Mapping[str, int]) -> Act:
        """Each item is looked at on its own, the free balance for all together."""
        _fits(len(units_by_receiver), *units_by_receiver.values())
        await self._must_be_free(token, {sender: sum(units_by_receiver.values())})
        for receiver, units in units_by_receiver.items():
            _open(await self.can_transfer(token, sender=sender, receiver=receiver, units=units))
        call = self._agent(token).batch_transfer(list(units_by_receiver), list(units_by_receiver.values()))
        _open(await self._asking.tried_out(call, sender=sender))
        return Act(call, Power.HOLDER)

    async def force_transfer_batch(self, token: str, movements: Sequence[Movement]) -> Act:
        _fits(len(movements))
        await self._check_forced(token, movements)
        senders, receivers = [move.sender for move in movements], [move.receiver for move in movements]
        return _by_agent(self._agent(token).batch_forced_transfer(senders, receivers, [move.units for move in movements]))  # fmt: skip

    async def set_frozen_batch(self, token: str, frozen_by_holder: Mapping[str, bool]) -> Act:
        _fits(len(frozen_by_holder))
        return _by_agent(self._agent(token).batch_set_frozen(list(frozen_by_holder), list(frozen_by_holder.values())))

    async def freeze_units_batch(self, token: str, units_by_holder: Mapping[str, int]) -> Act:
        _fits(len(units_by_holder), *units_by_holder.values())
        await self._must_be_free(token, units_by_holder)
        return _by_agent(self._agent(token).batch_freeze_units(list(units_by_holder), list(units_by_holder.values())))

    async def unfreeze_units_batch(self, token: str, units_by_holder: Mapping[str, int]) -> Act:
        _fits(len(units_by_holder), *units_by_holder.values())
        await self._must_be_frozen(token, units_by_holder)
        return _by_agent(self._agent(token).batch_unfreeze_units(list(units_by_holder), list(units_by_holder.values())))

    # Checks and contracts

    async def _check_forced(self, token: str, movements: Sequence[Movement]) -> None:
        """Senders in the registry, receivers verified, enough held: movements out of one wallet count together."""
        taken: dict[str, int] = {}
        for move in movements:
            _positive(move.units)
            if move.sender == move.receiver:
                raise _stopped("transfer.to_self", "sender and receiver are the same", "sender", "self_transfer")
            taken[move.sender] = taken.get(move.sender, 0) + move.units
        await self._must_hold(token, taken)
        registry = IdentityRegistry(self._abi("IdentityRegistry"), await self._read(self._token(token).identity_registry()))  # fmt: skip
        verified = await self._chain.node.read_all([registry.is_verified(move.receiver) for move in movements])
        if not all(verified):
            raise _stopped("identity.not_verified", "a receiver has no valid KYC claim", "receiver", "identity")

    async def _must_hold(self, token: str, units: Mapping[str, int]) -> None:
        held = await self._chain.node.read_all([self._token(token).balance(holder) for holder in units])
        _enough(units, held, "held")

    async def _must_be_frozen(self, token: str, units: Mapping[str, int]) -> None:
        frozen = await self._chain.node.read_all([self._token(token).frozen_units(holder) for holder in units])
        _enough(units, frozen, "frozen")

    async def _must_be_free(self, token: str, units: Mapping[str, int]) -> None:
        held = await self._chain.node.read_all([self._token(token).balance(holder) for holder in units])
        frozen = await self._chain.node.read_all([self._token(token).frozen_units(holder) for holder in units])
        _enough(units, [max(0, all_of_it - part) for all_of_it, part in zip(held, frozen, strict=True)], "free")

    async def _must_be_registered(self, wallet: str) -> None:
        if not await self._read(self._registry.contains(wallet)):
            raise ActRefused("identity.not_registered", f"{wallet} is not registered")

    async def _compliance(self, token: str) -> Compliance:
        return self._contracts.compliance(await self._read(self._token(token).compliance()))

    async def _bound(self, token: str, rule: str) -> Compliance:
        compliance = await self._compliance(token)
        if rule not in await self._read(compliance.modules()):
            raise ActRefused("compliance.not_bound", f"{rule} is not bound")
        return compliance

    @property
    def _registry(self) -> IdentityRegistry:
        return self._contracts.registry()

    @property
    def _updates(self) -> RegistryUpdates:
        return RegistryUpdates(self._abi("IdentityRegistry"), self._registry.address)

    def _token(self, address: str) -> Token:
        return self._contracts.token(address)

    def _agent(self, address: str) -> TokenAgent:
        return TokenAgent(self._abi("Token"), address)

    def _claims(self, identity: str) -> Claims:
        return Claims(self._abi("Identity"), identity)

    def _roles(self, contract: str) -> Roles:
        return Roles(self._abi("Token"), contract)

    async def _read(self, read: Read[Value]) -> Value:
        return await self._chain.node.read(read)


def _by_agent(call: Call) -> Act:
    return Act(call, Power.TOKEN_AGENT)


def _open(obstacle: Obstacle | None) -> None:
    if obstacle is not None:
        raise ActRefused.because(obstacle)


def _stopped(code: str, detail: str, side: Side, rule: str) -> ActRefused:
    return ActRefused.because(Obstacle(code, detail, side, rule))


def _positive(*units: int) -> None:
    if min(units, default=1) <= 0:
        raise _stopped("amount.zero", f"units must be positive, were {min(units)}", "token", "amount")


def _not_zero(*addresses: str) -> None:
    if ZERO_ADDRESS in addresses:
        raise ActRefused("address.zero", "the zero address is nobody")


def _fits(items: int, *units: int) -> None:
    if not 0 < items <= MAX_BATCH:
        raise ActRefused("batch.size", f"a batch has 1 to {MAX_BATCH} items, this one {items}")
    _positive(*units)


def _enough(wanted: Mapping[str, int], there: Sequence[int], what: str) -> None:
    for (holder, units), found in zip(wanted.items(), there, strict=True):
        if units > found:
            rule = "balance" if what == "held" else "frozen_units"
            raise _stopped(
                "balance.insufficient", f"{units} were asked for, {found} are {what} at {holder}", "sender", rule
            )
