"""Key rotation on a modelled chain: killed before and after every action, with surprises, and never a moment without a key that may act."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenx_chain.signers.keybook import Held, KeyBook
from tokenx_chain.signers.rotation import (
    DRAIN_POLL_S,
    MAX_ROUNDS,
    Action,
    Do,
    Grant,
    Phase,
    Rotation,
    RotationRefused,
    Seen,
    abort,
    apply,
    perform,
    plan,
    run,
)

OLD, NEW = "0x" + "0a" * 20, "0x" + "0b" * 20
GRANTS = frozenset(
    Grant(chain, contract, role)
    for chain in (1, 137)
    for contract in ("token", "registry")
    for role in ("agent", "owner")
)
START = Rotation("rot-1", "platform", "platform", "platform@2", OLD, NEW, epoch=4)


class Killed(BaseException):
    """kill -9."""


@dataclass
class World:
    """Contracts, the signer's epoch, open work. Every change is recorded by its idempotency key; `check` holds after each."""

    holders: dict[Grant, set[str]] = field(default_factory=lambda: {grant: {OLD} for grant in GRANTS})
    epoch: int = 4
    key: str = "platform"
    open_work: int = 3
    new_key_signs: bool = True
    changes: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    done: set[str] = field(default_factory=set[str])
    lose_grant_once: set[Grant] = field(default_factory=set[Grant])
    resist_revoke: set[Grant] = field(default_factory=set[Grant])

    def check(self) -> None:
        in_use = OLD if self.key == "platform" else NEW
        for grant, holders in self.holders.items():
            assert holders, f"nobody holds {grant}"
            if not grant.contract.startswith("fresh"):
                assert in_use in holders, f"the key in use lacks {grant}"
        if self.open_work:
            assert all(OLD in holders for holders in self.holders.values()), "revoked while its work is under way"

    def change(self, key: str, what: str) -> bool:
        if key in self.done:
            return False
        self.done.add(key)
        self.changes.append((key, what))
        return True

    async def find_grants(self, old_address: str, new_address: str) -> Seen:
        held = {grant for grant, holders in self.holders.items() if old_address in holders}
        return Seen(
            grants=frozenset(held), held=frozenset(grant for grant in held if new_address in self.holders[grant])
        )

    async def prove_key(self, key_ref: str, address: str) -> Seen:
        assert (key_ref, address) == ("platform@2", NEW)
        return Seen(yes=self.new_key_signs, detail="recovered to another address")

    async def grant(self, grant: Grant, address: str, *, key: str) -> Seen:
        if address not in self.holders[grant] and self.change(key, f"grant {grant}"):
            if grant in self.lose_grant_once:
                self.lose_grant_once.discard(grant)
            else:
                self.holders[grant].add(address)
        self.check()
        return Seen()

    async def has_role(self, grant: Grant, address: str) -> Seen:
        return Seen(yes=address in self.holders[grant])

    async def switch(self, signer: str, *, to_key: str, from_epoch: int, key: str) -> Seen:
        if (self.epoch, self.key) == (from_epoch + 1, to_key):
            return Seen(yes=True)
        if self.epoch != from_epoch:
            return Seen(detail=f"epoch {self.epoch}")
        self.change(key, "switch")
        self.epoch, self.key = from_epoch + 1, to_key
        self.check()
        return Seen(yes=True)

    async def count_open(self, key_ref: str) -> Seen:
        count, self.open_work = self.open_work, max(0, self.open_work - 1)
        return Seen(count=count)

    async def revoke(self, grant: Grant, address: str, *, key: str) -> Seen:
        if address in self.holders[grant] and self.change(key, f"revoke {grant}") and grant not in self.resist_revoke:
            self.holders[grant].discard(address)
        self.check()
        return Seen()


@dataclass
class Driver:
    """Runs a rotation with its state on disk, so to say. kill_at: the number of the save or pause at which the process dies."""

    world: World
    saved: Rotation = START
    pauses: int = 0
    on_save: Callable[[Rotation], None] = lambda state: None

    async def save(self, state: Rotation) -> None:
        self.saved = state
        self.on_save(state)

    async def pause(self, seconds: float) -> None:
        assert seconds == DRAIN_POLL_S
        self.pauses += 1

    async def go(self) -> Rotation:
        return await run(self.saved, self.world, save=self.save, pause=self.pause)


def finished(world: World, state: Rotation) -> None:
    assert state.phase is Phase.DONE
    assert all(holders == {NEW} for holders in world.holders.values())
    assert (world.epoch, world.key) == (5, "platform@2")
    assert len(world.changes) == len({what for _, what in world.changes}), "a change was made twice"


async def test_rotation_moves_every_role_and_only_then_revokes() -> None:
    driver = Driver(World())
    finished(driver.world, await driver.go())
    kinds = [what.split()[0] for _, what in driver.world.changes]
    assert kinds == ["grant"] * len(GRANTS) + ["switch"] + ["revoke"] * len(GRANTS)
    assert driver.pauses == 3


async def _count_actions() -> int:
    world, state, actions = World(), START, 0
    while (action := plan(state)) is not None:
        state = apply(state, action, await perform(world, state, action))
        actions += 1
    return actions


@pytest.mark.parametrize("moment", ["before the action", "after the action, before it is saved"])
async def test_killed_at_every_step_it_resumes_and_makes_no_change_twice(moment: str) -> None:
    total = await _count_actions()
    assert total >= 3 * len(GRANTS)
    for victim in range(total):
        world, saved, steps = World(), START, 0
        while (action := plan(saved)) is not None:
            is_victim = steps == victim
            steps += 1
            if is_victim and moment.startswith("before"):
                continue  # Died with nothing done: the next turn starts from what is saved.
            seen = await perform(world, saved, action)
            if is_victim:
                continue  # Died with everything done and nothing remembered.
            saved = apply(saved, action, seen)
        finished(world, saved)


async def test_killed_inside_the_driver_at_random_it_ends_the_same() -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    dice = random.Random(seed)
    for _ in range(60):
        world = World(open_work=dice.randrange(4))
        driver = Driver(world)

        def die_sometimes(_: Rotation) -> None:
            if dice.random() < 0.3:
                raise Killed

        driver.on_save = die_sometimes
        for _ in range(200):
            try:
                state = await driver.go()
                break
            except Killed:
                continue
        else:
            raise AssertionError(f"never ended, seed {seed}")
        finished(world, state)


@settings(max_examples=150, deadline=None)
@given(st.data())
async def test_any_history_keeps_the_invariants(data: st.DataObject) -> None:
    """Deaths, grants that vanish, revocations that do not hold once, contracts deployed meanwhile, in any order."""
    grants = st.sampled_from(sorted(GRANTS))
    world = World(open_work=data.draw(st.integers(0, 4)), lose_grant_once=data.draw(st.sets(grants)))
    for grant in data.draw(st.sets(grants, max_size=3)):
        world.holders[grant].add(NEW)
    resist = data.draw(st.sets(grants, max_size=2))
    world.resist_revoke = set(resist)
    state = START
    for step in range(400):
        action = plan(state)
        if action is None:
            break
        if step < 80 and data.draw(st.booleans()):
            _surprise(data, world, step)
        seen = await perform(world, state, action)
        if step < 80 and data.draw(st.booleans()):
            continue
        if action.do is Do.CHECK_OLD and seen.yes:
            world.resist_revoke.discard(action.grant)  # pyright: ignore[reportArgumentType]  # CHECK_OLD always has one
        state = apply(state, action, seen)
    assert state.phase is Phase.DONE
    assert all(holders == {NEW} for grant, holders in world.holders.items() if grant in state.grants)


def _surprise(data: st.DataObject, world: World, step: int) -> None:
    """A contract deployed with the old key while the rotation runs; only while the old key is the one in use."""
    if world.key == "platform" and data.draw(st.integers(0, 5)) == 0:
        world.holders[Grant(1, f"fresh-{step}", "agent")] = {OLD}


async def test_contract_deployed_during_the_drain_is_moved_before_anything_is_revoked() -> None:
    world = World()
    driver = Driver(world)
    fresh = Grant(10, "fresh-token", "agent")

    def deploy(state: Rotation) -> None:
        if state.phase is Phase.DRAIN:
            world.holders[fresh] = {OLD}

    driver.on_save = deploy
    finished(world, await driver.go())
    order = [what for _, what in world.changes]
    assert order.index(f"grant {fresh}") < min(n for n, what in enumerate(order) if what.startswith("revoke"))


async def test_grant_that_did_not_hold_is_made_again_under_a_new_key() -> None:
    lost = min(GRANTS)
    world = World(lose_grant_once={lost})
    state = await Driver(world).go()
    keys = [key for key, what in world.changes if what == f"grant {lost}"]
    assert (state.phase, len(keys), len(set(keys))) == (Phase.DONE, 2, 2)


async def test_role_the_new_key_lost_is_not_taken_from_the_old_one() -> None:
    world = World(open_work=0)
    driver = Driver(world)
    lost = min(GRANTS)

    def lose(state: Rotation) -> None:
        if state.phase is Phase.REVOKE:
            world.holders[lost].discard(NEW)

    driver.on_save = lose
    with pytest.raises(RotationRefused, match="no longer has"):
        await driver.go()
    assert world.holders[lost] == {OLD}


async def test_key_that_does_not_sign_stops_before_any_change() -> None:
    world = World(new_key_signs=False)
    with pytest.raises(RotationRefused, match="platform@2 did not sign"):
        await Driver(world).go()
    assert world.changes == []


async def test_two_rotations_of_one_signer_cannot_both_switch() -> None:
    world = World()
    driver = Driver(world)

    def other(state: Rotation) -> None:
        if state.phase is Phase.SWITCH:
            world.epoch, world.key = 5, "platform@3"

    driver.on_save = other
    world.check = lambda: None  # The other rotation's key is not ours to judge.
    with pytest.raises(RotationRefused, match="no longer at epoch 4"):
        await driver.go()
    assert not [what for _, what in world.changes if what.startswith("revoke")]


async def test_change_that_keeps_being_undone_goes_to_people() -> None:
    world = World(open_work=0, resist_revoke={min(GRANTS)})
    driver = Driver(world)
    with pytest.raises(RotationRefused, match="keeps being undone"):
        await driver.go()
    assert driver.saved.rounds == MAX_ROUNDS


@pytest.mark.parametrize("actions", range(3 + 2 * len(GRANTS)))
async def test_abort_before_the_switch_takes_back_what_was_granted(actions: int) -> None:
    held = max(GRANTS)
    world = World()
    world.holders[held].add(NEW)
    state = START
    for _ in range(actions):
        action = plan(state)
        assert action is not None
        if action.do is Do.SWITCH:
            break
        last, seen = state, await perform(world, state, action)
        state = apply(last, action, seen)
    if state.phase is Phase.SWITCH:
        with pytest.raises(RotationRefused, match="rotate again instead"):
            abort(state, "changed our mind")
        return
    # The last action may have happened without being remembered.
    action = plan(state)
    if action is not None and action.do is Do.GRANT:
        await perform(world, state, action)
    driver = Driver(world, saved=abort(state, "changed our mind"))
    end = await driver.go()
    assert (end.phase, end.reason, world.key) == (Phase.ABORTED, "changed our mind", "platform")
    assert {grant for grant, holders in world.holders.items() if NEW in holders} == {held}
    assert abort(end, "again") == end


async def test_after_the_switch_there_is_no_way_back() -> None:
    world, state = World(), START
    while (action := plan(state)) is not None:
        state = apply(state, action, await perform(world, state, action))
        if state.switched and not state.is_over:
            with pytest.raises(RotationRefused):
                abort(state, "too late")
    assert state.phase is Phase.DONE


async def test_key_without_any_role_is_switched_at_once() -> None:
    world = World(holders={}, open_work=0)
    driver = Driver(world)
    assert (await driver.go()).phase is Phase.DONE
    assert [what for _, what in world.changes] == ["switch"]


def test_plan_is_a_function_of_the_state() -> None:
    state = replace(START, phase=Phase.GRANT, grants=GRANTS)
    assert {plan(state) for _ in range(10)} == {plan(replace(state))}
    action = plan(state)
    assert isinstance(action, Action)
    assert action.grant == min(GRANTS)


def test_book_switches_once_for_each_epoch() -> None:
    book = KeyBook()
    assert book.of("platform") == Held("platform", 1)
    assert book.switch("platform", to_key="platform@2", from_epoch=1)
    assert book.switch("platform", to_key="platform@2", from_epoch=1)
    assert not book.switch("platform", to_key="platform@3", from_epoch=1)
    assert book.of("platform") == Held("platform@2", 2)
