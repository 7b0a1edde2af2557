"""Replacing a key without a moment in which nobody can act: grant the new one everywhere, verify, switch by epoch, drain, revoke the old one.

Pure: `plan` says what to do next, `apply` takes what was seen, both without I/O, so a durable workflow can hold the state and replay it.
`run` is the plain driver. Every action may be repeated after a crash: the port makes each of its changes idempotent by the key it is given."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

from tokenx_chain.signers.errors import SignerError

DRAIN_POLL_S: Final = 5.0
MAX_ROUNDS: Final = 10
"""A change that keeps being undone is somebody's doing: stop and let people look."""


LASTING: Final = frozenset({"claim_signer"})
"""Roles the old key keeps on chain: without its key every claim it ever signed would stop counting at once. It is used for nothing new."""


class RotationRefused(SignerError):
    """This rotation cannot go on, and says why. Nothing was revoked that something still needs."""

    code = "signer.rotation_refused"
    status = 409


@dataclass(frozen=True, order=True)
class Grant:
    """One role on one contract of one chain that the key holds and its successor must hold."""

    chain_id: int
    contract: str
    role: str


class Phase(StrEnum):
    """In this order. ABORTING and ABORTED only before SWITCH: afterwards the way out is another rotation."""

    DISCOVER = "discover"
    PROVE = "prove"
    GRANT = "grant"
    VERIFY = "verify"
    SWITCH = "switch"
    DRAIN = "drain"
    RECHECK = "recheck"
    REVOKE = "revoke"
    CONFIRM = "confirm"
    DONE = "done"
    ABORTING = "aborting"
    ABORTED = "aborted"


@dataclass(frozen=True)
class Rotation:
    """Everything a workflow must remember. grants: what the old key was found to hold; the other sets name those already dealt with.

    pre_granted: what the new key held before we began, which an abort must not take away. epoch: the signer's epoch before the switch.
    rounds: times a change was found undone and made again."""

    rotation_id: str
    signer: str
    old_key: str
    new_key: str
    old_address: str
    new_address: str
    epoch: int
    phase: Phase = Phase.DISCOVER
    grants: frozenset[Grant] = frozenset()
    pre_granted: frozenset[Grant] = frozenset()
    granted: frozenset[Grant] = frozenset()
    verified: frozenset[Grant] = frozenset()
    revoked: frozenset[Grant] = frozenset()
    confirmed: frozenset[Grant] = frozenset()
    switched: bool = False
    rounds: int = 0
    reason: str = ""

    @property
    def is_over(self) -> bool:
        return self.phase in (Phase.DONE, Phase.ABORTED)

    @property
    def to_revoke(self) -> frozenset[Grant]:
        """What is taken from the old key in the end."""
        return frozenset(grant for grant in self.grants if grant.role not in LASTING)


class Do(StrEnum):
    """What the port is asked."""

    FIND_GRANTS = "find_grants"
    PROVE_KEY = "prove_key"
    GRANT = "grant"
    CHECK_NEW = "check_new"
    SWITCH = "switch"
    COUNT_OPEN = "count_open"
    REVOKE_OLD = "revoke_old"
    CHECK_OLD = "check_old"
    REVOKE_NEW = "revoke_new"


@dataclass(frozen=True)
class Action:
    """One thing to do. key: the idempotency key for a change on chain; the same action always has the same."""

    do: Do
    key: str
    grant: Grant | None = None


@dataclass(frozen=True)
class Seen:
    """What an action brought. grants: all that the old key holds; held: what of it the new key holds already; yes: a check's answer;
    count: transactions of the old key that are not final."""

    grants: frozenset[Grant] = frozenset()
    held: frozenset[Grant] = frozenset()
    yes: bool = False
    count: int = 0
    detail: str = ""


class RotationPort(Protocol):
    """The chain and the signers, as a rotation sees them. Grants and revocations return when they are final on their chain."""

    async def find_grants(self, old_address: str, new_address: str) -> Seen:
        """grants: every role of the old address on every deployment; held: those the new address has too."""
        ...

    async def prove_key(self, key_ref: str, address: str) -> Seen:
        """yes: the backend just signed a challenge with this key and it recovered to the address."""
        ...

    async def grant(self, grant: Grant, address: str, *, key: str) -> Seen:
        """Idempotent by key, and nothing to do where the address has the role."""
        ...

    async def has_role(self, grant: Grant, address: str) -> Seen:
        """yes, at the finalized block."""
        ...

    async def switch(self, signer: str, *, to_key: str, from_epoch: int, key: str) -> Seen:
        """Compare-and-set of the signer's key from from_epoch to from_epoch + 1. yes: it is to_key's epoch now, also when it was already.

        New intents use the new key from here on; bound nonces stay with the old one."""
        ...

    async def count_open(self, key_ref: str) -> Seen:
        """count: intents bound to the key that are not final."""
        ...

    async def revoke(self, grant: Grant, address: str, *, key: str) -> Seen:
        """Idempotent by key, and nothing to do where the address has no such role. Sent by a key that keeps its own roles."""
        ...


def plan(state: Rotation) -> Action | None:
    """The next action; None at the end. The same state always gives the same action."""
    name = state.rotation_id
    match state.phase:
        case Phase.DISCOVER | Phase.RECHECK:
            return Action(Do.FIND_GRANTS, f"{name}:{state.phase}")
        case Phase.PROVE:
            return Action(Do.PROVE_KEY, f"{name}:prove")
        case Phase.GRANT:
            return _on_next(Do.GRANT, state, state.grants - state.granted)
        case Phase.VERIFY:
            return _on_next(Do.CHECK_NEW, state, state.grants - state.verified)
        case Phase.SWITCH:
            return Action(Do.SWITCH, f"{name}:switch")
        case Phase.DRAIN:
            return Action(Do.COUNT_OPEN, f"{name}:drain")
        case Phase.REVOKE:
            return _on_next(Do.REVOKE_OLD, state, state.to_revoke - state.revoked)
        case Phase.CONFIRM:
            return _on_next(Do.CHECK_OLD, state, state.to_revoke - state.confirmed)
        case Phase.ABORTING:
            return _on_next(Do.REVOKE_NEW, state, state.grants - state.pre_granted - state.revoked)
        case Phase.DONE | Phase.ABORTED:
            return None


def apply(state: Rotation, action: Action, seen: Seen) -> Rotation:
    """The state after an action. Raises RotationRefused when what was seen forbids to go on; the state given stays valid."""
    match action.do:
        case Do.FIND_GRANTS:
            return _found(state, seen)
        case Do.PROVE_KEY:
            if not seen.yes:
                raise RotationRefused(f"{state.new_key} did not sign as {state.new_address}: {seen.detail}")
            return _phase(state, Phase.GRANT)
        case Do.GRANT:
            return _skip_empty(replace(state, granted=state.granted | _of(action)))
        case Do.CHECK_NEW:
            return _checked_new(state, action, seen)
        case Do.SWITCH:
            if not seen.yes:
                raise RotationRefused(f"{state.signer} is no longer at epoch {state.epoch}: {seen.detail}")
            return _phase(replace(state, switched=True), Phase.DRAIN)
        case Do.COUNT_OPEN:
            return state if seen.count else _phase(state, Phase.RECHECK)
        case Do.REVOKE_OLD:
            return _skip_empty(replace(state, revoked=state.revoked | _of(action)))
        case Do.CHECK_OLD:
            return _checked_old(state, action, seen)
        case Do.REVOKE_NEW:
            return _skip_empty(replace(state, revoked=state.revoked | _of(action)))


def abort(state: Rotation, reason: str) -> Rotation:
    """Give up: what the new key was granted is taken back. Raises RotationRefused once the new key is in use."""
    if state.phase in (Phase.ABORTING, Phase.ABORTED):
        return state
    # SWITCH itself is too late: a crash may hide that the switch happened.
    if state.switched or state.phase is Phase.SWITCH:
        raise RotationRefused(
            f"{state.rotation_id} is at {state.phase}: the new key may be in use, rotate again instead"
        )
    return _skip_empty(replace(state, phase=Phase.ABORTING, revoked=frozenset(), reason=reason))


async def perform(port: RotationPort, state: Rotation, action: Action) -> Seen:
    """One action through the port. A workflow calls this as its activity."""
    match action.do:
        case Do.FIND_GRANTS:
            return await port.find_grants(state.old_address, state.new_address)
        case Do.PROVE_KEY:
            return await port.prove_key(state.new_key, state.new_address)
        case Do.GRANT:
            return await port.grant(_one(action), state.new_address, key=action.key)
        case Do.CHECK_NEW:
            return await port.has_role(_one(action), state.new_address)
        case Do.SWITCH:
            return await port.switch(state.signer, to_key=state.new_key, from_epoch=state.epoch, key=action.key)
        case Do.COUNT_OPEN:
            return await port.count_open(state.old_key)
        case Do.REVOKE_OLD:
            return await _revoke_old(port, state, action)
        case Do.CHECK_OLD:
            return await port.has_role(_one(action), state.old_address)
        case Do.REVOKE_NEW:
            return await port.revoke(_one(action), state.new_address, key=action.key)


async def run(state: Rotation, port: RotationPort, *, save: Callable[[Rotation], Awaitable[None]], pause: Callable[[float], Awaitable[None]]) -> Rotation:  # fmt: skip
    """Drive it to its end, saving after each action. A crash anywhere resumes from the last saved state. Raises RotationRefused."""
    while (action := plan(state)) is not None:
        seen = await perform(port, state, action)
        after = apply(state, action, seen)
        if after == state:
            await pause(DRAIN_POLL_S)
            continue
        state = after
        await save(state)
    return state


async def _revoke_old(port: RotationPort, state: Rotation, action: Action) -> Seen:
    """Looks once more before it takes away: a role that the new key lost meanwhile must not become nobody's. Raises RotationRefused."""
    grant = _one(action)
    if not (await port.has_role(grant, state.new_address)).yes:
        raise RotationRefused(
            f"{state.new_address} no longer has {grant.role} on {grant.contract} of chain {grant.chain_id}"
        )
    return await port.revoke(grant, state.old_address, key=action.key)


def _found(state: Rotation, seen: Seen) -> Rotation:
    if state.phase is Phase.DISCOVER:
        # What the new key holds already is granted, but it is verified like the rest.
        found = replace(state, grants=seen.grants, granted=seen.held, pre_granted=seen.held)
        return _phase(found, Phase.PROVE)
    # Deployments made since the start know only the old key: they are granted and verified before anything is revoked.
    fresh = seen.grants - state.grants
    if fresh:
        return replace(state, grants=state.grants | fresh, granted=state.granted | (seen.held & fresh), phase=Phase.GRANT)  # fmt: skip
    return _phase(state, Phase.REVOKE)


def _checked_new(state: Rotation, action: Action, seen: Seen) -> Rotation:
    if not seen.yes:
        # The grant did not hold (a reorganisation, somebody's revocation): grant it again.
        again = _again(state, action)
        return replace(again, granted=state.granted - _of(action), pre_granted=state.pre_granted - _of(action), phase=Phase.GRANT)  # fmt: skip
    return _skip_empty(replace(state, verified=state.verified | _of(action)))


def _checked_old(state: Rotation, action: Action, seen: Seen) -> Rotation:
    if seen.yes:
        return replace(_again(state, action), revoked=state.revoked - _of(action), phase=Phase.REVOKE)
    return _skip_empty(replace(state, confirmed=state.confirmed | _of(action)))


def _again(state: Rotation, action: Action) -> Rotation:
    """A new round: its changes get new idempotency keys. Raises RotationRefused after too many."""
    if state.rounds >= MAX_ROUNDS:
        raise RotationRefused(f"{_one(action)} keeps being undone")
    return replace(state, rounds=state.rounds + 1)


def _phase(state: Rotation, phase: Phase) -> Rotation:
    return _skip_empty(replace(state, phase=phase))


def _skip_empty(state: Rotation) -> Rotation:
    """Past every phase that has nothing left to do."""
    match state.phase:
        case Phase.GRANT if state.grants <= state.granted:
            return _phase(state, Phase.VERIFY)
        case Phase.VERIFY if state.grants <= state.verified:
            return _phase(state, Phase.RECHECK if state.switched else Phase.SWITCH)
        case Phase.REVOKE if state.to_revoke <= state.revoked:
            return _phase(state, Phase.CONFIRM)
        case Phase.CONFIRM if state.to_revoke <= state.confirmed:
            return _phase(state, Phase.DONE)
        # Also what was perhaps granted by an action whose end we did not see.
        case Phase.ABORTING if state.grants - state.pre_granted <= state.revoked:
            return _phase(state, Phase.ABORTED)
        case _:
            return state


def _on_next(do: Do, state: Rotation, left: frozenset[Grant]) -> Action:
    """The first of what is left, in a fixed order."""
    assert left, f"{state.phase} with nothing left is skipped"
    grant = min(left)
    return Action(do, f"{state.rotation_id}:{do}:{state.rounds}:{grant.chain_id}:{grant.contract}:{grant.role}", grant)


def _of(action: Action) -> frozenset[Grant]:
    return frozenset({_one(action)})


def _one(action: Action) -> Grant:
    assert action.grant is not None
    return action.grant
