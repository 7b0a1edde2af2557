"""The promise: every intent is executed exactly once, whatever gets lost (T5), and whatever happens in whatever order (T34). Seeds are printed."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.chain.fault_proxy import Action
from tests.chain.journal_stand_in import JournalState
from tests.chain.rig import COUNTER, FAST, ONCE, Rig, ask, rig
from tests.chain.seeds import LONG_RUN, a_seed
from tests.support.servers import AnvilServer, anvil_server
from tokenx_chain.networks.rpc import RpcUnavailable

pytestmark = pytest.mark.stack

SEND = "eth_sendRawTransaction"
IMPATIENT_S = 0.25


@pytest.fixture(scope="module")
def anvil() -> Iterator[AnvilServer]:
    with anvil_server(None) as node:
        yield node


async def test_timeout_after_broadcast_executes_once(anvil: AnvilServer) -> None:
    """Fifty intents to a contract that would count a second execution and fifty to one that would refuse it, each batch of bytes answered too late,
    not at all, twice, or lost before the node, at random."""
    await ask(anvil.url, "evm_setAutomine", False)
    rng = random.Random(a_seed())
    happened: dict[str, int] = {}

    def plan(methods: list[str]) -> Action:
        if SEND not in methods or rng.random() < 0.25:
            return "pass"
        actions: list[Action] = ["lose", "delay", "drop", "twice", "502"]
        action = rng.choice(actions)
        happened[action] = happened.get(action, 0) + 1
        return action

    async with rig(anvil.url, timeout_s=IMPATIENT_S, network=replace(FAST, in_flight=3), endpoints=2) as r:
        for proxy in r.proxies:
            proxy.faults.plan, proxy.faults.delay_s = plan, 2 * IMPATIENT_S
        counted = [r.intent(COUNTER) for _ in range(50)]
        refusing = [r.intent(ONCE) for _ in range(50)]
        for pair in zip(counted, refusing, strict=True):
            await r.send(*pair)
            await asyncio.sleep(rng.random() * 0.02)
        everything = counted + refusing
        await r.until(lambda: all(is_final(r, i) for i in everything), "all to be final", patience_s=120)
        print("faults:", happened)
        assert sum(happened.values()) >= 50
        assert [await r.executions(i, COUNTER) for i in counted] == [1] * 50
        assert [await r.executions(i, ONCE) for i in refusing] == [1] * 50
        assert sorted({r.row(i)["nonce"] for i in everything}) == list(range(100))
        assert await r.nonce_gaps() == 0
        assert all(r.row(i)["state"] == "final" for i in everything), "no second execution was even tried"


def is_final(r: Rig, intent: Any) -> bool:
    return r.state.transactions.get(intent.tx_id, {}).get("state") in ("final", "reverted", "cancelled")


class World:
    """Random steps over one key: new intents, every fault of the proxy, lost pools, reorganisations, replacements, cancellations, restarts."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.state = JournalState()
        self.intents: list[Any] = []
        self.cancelled: set[str] = set()
        self.log: list[str] = []

    async def life(self, url: str, key: str, steps: int) -> None:
        """One life of the service: some steps, then an end without warning."""
        async with rig(
            url,
            state=self.state,
            key=key,
            timeout_s=IMPATIENT_S,
            funded_wei=None,
            network=replace(FAST, in_flight=20),
            endpoints=2,
        ) as r:
            for proxy in r.proxies:
                proxy.faults.delay_s = 2 * IMPATIENT_S
                proxy.faults.plan = self.plan
            for _ in range(steps):
                await self.step(r)
                await asyncio.sleep(self.rng.random() * 0.02)

    def plan(self, methods: list[str]) -> Action:
        if self.rng.random() < 0.85:
            return "pass"
        reading: list[Action] = ["lose", "drop", "502", "429"]
        sending: list[Action] = [*reading, "delay", "twice"]
        return self.rng.choice(sending if SEND in methods else reading)

    async def step(self, r: Rig) -> None:
        what = self.rng.choices(
            ["send", "drop_pool", "drop_one", "reorg", "bump", "cancel", "mine", "lag"], [10, 1, 2, 1, 2, 2, 4, 1]
        )[0]
        self.log.append(what)
        open_ones = [i for i in self.intents if r.tracker.get(i.tx_id) is not None and not is_final(r, i)]
        match what:
            case "send":
                fresh = [r.intent(self.rng.choice([COUNTER, ONCE])) for _ in range(self.rng.randrange(1, 4))]
                self.intents += fresh
                try:
                    await r.send(*fresh)
                except RpcUnavailable as error:  # the first of a life asks the node for its nonce
                    self.log.append(f"send: {error}")
            case "drop_pool":
                await r.ask("anvil_dropAllTransactions")
            case "drop_one" if open_ones:
                await r.ask("anvil_dropTransaction", r.row(self.rng.choice(open_ones))["tx_hash"])
            case "reorg":
                await r.reorganise()
                await r.ask(
                    "anvil_setBalance", await r.address(), hex(10**20)
                )  # what it held was part of the lost block
            case "bump" | "cancel" if open_ones:
                await self.replace(r, self.rng.choice(open_ones), what)
            case "mine":
                await r.mine()
            case "lag":
                r.proxies[1].faults.lag = self.rng.choice([0, 0, 2])
            case _:
                pass

    async def replace(self, r: Rig, intent: Any, what: str) -> None:
        tracked = r.tracker.get(intent.tx_id)
        assert tracked is not None
        try:
            await (r.tracker.cancel(tracked) if what == "cancel" else r.tracker.speed_up(tracked))
        except Exception as error:  # noqa: BLE001  # refused or the node is away: both are answers; what counts is checked at the end
            self.log.append(f"{what}: {type(error).__name__}")
        if len(r.row(intent)["attempts"]) and r.row(intent)["attempts"][-1]["kind"] == "cancel":
            self.cancelled.add(intent.tx_id)

    async def what_is_stuck(self, r: Rig, journaled: list[Any]) -> str:
        """For the report of a failure: the chain's nonce, and the two intents around the first that did not end."""
        mined = int(await r.ask("eth_getTransactionCount", await r.address(), "latest"), 16)
        balance = int(await r.ask("eth_getBalance", await r.address(), "latest"), 16)
        by_nonce = sorted(journaled, key=lambda i: r.row(i)["nonce"])
        first = next(n for n, i in enumerate(by_nonce) if not is_final(r, i))
        around = [
            (r.row(i)["nonce"], r.states(i)[-6:], len(r.row(i)["attempts"]))
            for i in by_nonce[max(0, first - 2) : first + 2]
        ]
        return (
            f"chain nonce {mined}, balance {balance}, pool {await r.ask('txpool_status')}, around the first: {around}"
        )

    async def end(self, url: str, key: str) -> None:
        """A last life without faults, until everything that was journaled is final; then the invariants."""
        async with rig(url, state=self.state, key=key, funded_wei=None) as r:
            journaled = [
                i for i in self.intents if i.tx_id in self.state.transactions and r.row(i)["nonce"] is not None
            ]
            try:
                await r.until(lambda: all(is_final(r, i) for i in journaled), "all journaled to end", patience_s=90)
            except AssertionError:
                print(await self.what_is_stuck(r, journaled))
                raise
            for intent in journaled:
                done = [await r.executions(intent, COUNTER), await r.executions(intent, ONCE)]
                wanted = 0 if r.row(intent)["state"] == "cancelled" else 1
                assert sum(done) == wanted, (intent.tx_id, r.row(intent), r.states(intent))
                assert r.row(intent)["state"] == "final" or intent.tx_id in self.cancelled, r.row(intent)
            for intent in [i for i in self.intents if i not in journaled]:
                assert await r.executions(intent, COUNTER) + await r.executions(intent, ONCE) == 0, (
                    "never journaled, never sent"
                )
            owners: dict[int, set[str]] = {}
            for row in self.state.transactions.values():
                for attempt in row["attempts"]:
                    owners.setdefault(attempt["nonce"], set()).add(row["tx_id"])
            assert all(len(ids) == 1 for ids in owners.values()), "a nonce served two intents"
            assert sorted(owners) == list(range(len(owners))), "a gap"
            assert await r.nonce_gaps() == 0


@pytest.mark.timeout(3600 if LONG_RUN else 300)
async def test_t34_random_histories_execute_each_journaled_intent_once(anvil: AnvilServer) -> None:
    await ask(anvil.url, "evm_setAutomine", False)
    seed = a_seed()
    steps, lives = (1000, 10) if LONG_RUN else (40, 4)
    world = World(random.Random(seed))
    async with rig(anvil.url) as r:
        key = r.key
        await r.mine(3)
    for _ in range(lives):
        await world.life(anvil.url, key, steps)
    await world.end(anvil.url, key)
    ended = [row["state"] for row in world.state.transactions.values()]
    print(
        f"{lives} lives, {len(world.log)} steps, {len(world.intents)} intents:",
        {state: ended.count(state) for state in set(ended)},
    )
    assert ended.count("final") > 20, "the faults must leave something to look at"
