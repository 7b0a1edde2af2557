"""Signatures that take as long as people take, on a real node: nonces stay with who has them, and change hands only with proof (T33)."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.chain.rig import FAST, Rig, ask, rig
from tests.chain.seeds import a_seed
from tests.signers.people import People
from tests.support.servers import AnvilServer, anvil_server
from tokenx_chain.journal import JournaledTransaction
from tokenx_chain.transactions.errors import IntentRefused
from tokenx_chain.transactions.queue import Nonces
from tokenx_chain.transactions.replacer import NotReplaceable
from tokenx_chain.transactions.sender import Intent

pytestmark = pytest.mark.stack

CALM = replace(FAST, bump_after_s=60.0)
"""Nothing is replaced by itself."""

Futures = list[asyncio.Future[JournaledTransaction]]


@pytest.fixture(scope="module")
def anvil() -> Iterator[AnvilServer]:
    with anvil_server(None) as node:
        yield node


@pytest.fixture
async def url(anvil: AnvilServer) -> str:
    await ask(anvil.url, "evm_setAutomine", False)
    return anvil.url


def first(intent: Intent) -> str:
    """The name of an intent's first attempt."""
    return f"{intent.tx_id}:1"


async def all_asked(r: Rig, people: People, *intents: Intent) -> None:
    await r.until(lambda: all(first(intent) in people.asked for intent in intents), "everything to be asked for")


async def all_final(r: Rig, *intents: Intent) -> None:
    await r.until(lambda: all(r.row(intent)["state"] == "final" for intent in intents), "finality")
    assert [await r.executions(intent) for intent in intents] == [1] * len(intents)


async def nonces_of(r: Rig, *intents: Intent) -> list[int]:
    return [r.row(intent)["nonce"] for intent in intents]


def nonces_sent(r: Rig, people: People) -> list[int]:
    """In the order in which the node was given them, each once."""
    by_hash = {row["raw"]: row["nonce"] for row in r.state.transactions.values() if row.get("raw")}
    return list(dict.fromkeys(by_hash[raw] for raw in r.faults.sent if raw in by_hash))


async def test_many_are_asked_for_side_by_side_and_sent_in_the_order_of_their_nonces(url: str) -> None:
    people = People(max_inflight=4)
    async with rig(url, signer=people, network=CALM) as r:
        intents = [r.intent() for _ in range(7)]
        await r.send(*intents)
        await all_asked(r, people, *intents[:4])
        assert len(people.asked) == 4
        assert [r.row(intent)["state"] for intent in intents[:4]] == ["signing"] * 4
        for intent in reversed(intents[:4]):
            people.decisions[first(intent)] = "sign"
            await r.until(lambda i=intent: r.row(i)["state"] != "signing", "its signature")
        people.default = "sign"
        await all_final(r, *intents)
        assert await nonces_of(r, *intents) == list(range(7))
        assert nonces_sent(r, people) == list(range(7))
        assert people.most_at_once <= 4
        assert dict(people.contexts[first(intents[0])])["nonce"] == "0"


async def test_nonce_of_a_rejected_job_serves_the_next_intent(url: str) -> None:
    people = People(max_inflight=2)
    async with rig(url, signer=people, network=CALM) as r:
        refused, second, third = intents = [r.intent() for _ in range(3)]
        futures = await r.send(*intents)
        await all_asked(r, people, refused, second)
        people.decisions |= {first(second): "sign", first(refused): "reject"}
        with pytest.raises(IntentRefused, match="not today"):
            await futures[0]
        await all_asked(r, people, third)
        people.default = "sign"
        await all_final(r, second, third)
        assert await nonces_of(r, second, third) == [1, 0]
        assert (r.row(refused)["state"], await r.executions(refused)) == ("sign_rejected", 0)


async def test_gap_below_a_signed_nonce_is_filled_when_nobody_waits_for_it(url: str) -> None:
    people = People()
    async with rig(url, signer=people, network=CALM) as r:
        refused, later = await sent(r, 2)
        await all_asked(r, people, refused, later)
        people.decisions[first(later)] = "sign"
        await r.until(lambda: r.row(later)["state"] == "signed", "the later one's signature")
        assert r.faults.sent == [], "sent above a nonce that is not signed"
        people.decisions[first(refused)] = "reject"
        filler = f"{refused.tx_id}.fill"
        await r.until(lambda: f"{filler}:1" in people.asked, "something for the gap")
        nothing = people.asked[f"{filler}:1"]
        assert (nothing.nonce, nothing.to, nothing.value, nothing.data) == (0, await r.address(), 0, b"")
        people.default = "sign"
        await all_final(r, later)
        assert await nonces_of(r, later) == [1]
        await r.until(lambda: r.state.transactions[filler]["state"] == "final", "the filler's finality")
        assert await r.executions(refused) == 0


async def sent(r: Rig, count: int) -> list[Intent]:
    intents = [r.intent() for _ in range(count)]
    await r.send(*intents)
    return intents


async def test_refused_filler_is_not_asked_for_again_and_the_next_intent_takes_the_nonce(url: str) -> None:
    people = People()
    async with rig(url, signer=people, network=CALM) as r:
        refused, later = await sent(r, 2)
        people.decisions |= {first(later): "sign", first(refused): "reject", f"{refused.tx_id}.fill:1": "reject"}
        await r.until(
            lambda: r.state.transactions.get(f"{refused.tx_id}.fill", {}).get("state") == "sign_rejected", "the refusal"
        )
        assert (await r.senders.of(r.key)).paused == "nonce_gap"
        people.default = "sign"
        (saviour,) = await sent(r, 1)
        await all_final(r, later, saviour)
        assert await nonces_of(r, later, saviour) == [1, 0]
        assert len(people.asked) == 4


async def test_top_nonces_of_rejected_jobs_leave_no_gap(url: str) -> None:
    people = People()
    async with rig(url, signer=people, network=CALM) as r:
        intents = await sent(r, 3)
        await all_asked(r, people, *intents)
        for intent in intents[1:]:
            people.decisions[first(intent)] = "reject"
        await r.until(lambda: all(r.row(i)["state"] == "sign_rejected" for i in intents[1:]), "the refusals")
        (after,) = await sent(r, 1)
        people.default = "sign"
        await all_final(r, intents[0], after)
        assert await nonces_of(r, intents[0], after) == [0, 1]
        assert not any(".fill" in name for name in people.asked)


async def test_killed_while_people_decide_asks_for_the_same_bytes_again(url: str) -> None:
    people = People()
    async with rig(url, signer=people, network=CALM) as r:
        intents = await sent(r, 3)
        await all_asked(r, people, *intents)
        asked = dict(people.asked)
        state, key = r.state, r.key
    people.decisions[first(intents[0])] = "sign"
    async with rig(url, signer=people, network=CALM, state=state, key=key) as r:
        again = await r.send(*intents)  # as their operations do when they are run again
        (other,) = await sent(r, 1)
        await all_asked(r, people, other)
        assert people.asked == asked | {first(other): people.asked[first(other)]}
        people.default = "sign"
        await all_final(r, *intents, other)
        assert await nonces_of(r, *intents, other) == [0, 1, 2, 3]
        assert [entry.nonce for entry in await asyncio.gather(*again)] == [0, 1, 2]


async def test_killed_between_signature_and_journal_executes_once(url: str) -> None:
    people = People("sign")
    async with rig(url, signer=people, network=CALM) as r:
        reached = asyncio.Event()

        async def die(records: Any) -> None:
            if any(record["op"] == "signed" for record in records):
                reached.set()
                await asyncio.Event().wait()

        r.journal.before = die
        (intent,) = await sent(r, 1)
        await reached.wait()
        state, key = r.state, r.key
    async with rig(url, signer=people, network=CALM, state=state, key=key) as r:
        await r.send(intent)
        await all_final(r, intent)
        assert len(people.asked) == 1


async def test_gap_left_by_a_crash_is_filled_after_it(url: str) -> None:
    people = People()
    async with rig(url, signer=people, network=CALM) as r:
        refused, later = await sent(r, 2)
        people.decisions |= {first(later): "sign"}
        await r.until(lambda: r.states(later)[-1:] == ["signed"], "the later one's signature")
        people.decisions[first(refused)] = "reject"
        await r.until(lambda: r.states(refused)[-1:] == ["sign_rejected"], "the refusal")
        state, key = r.state, r.key
    people.default = "sign"
    async with rig(url, signer=people, network=CALM, state=state, key=key) as r:
        await all_final(r, later)
        assert await nonces_of(r, later) == [1]


@pytest.mark.parametrize("strange", ["wrong", "nonsense"])
async def test_strange_answer_stops_the_sender_once_and_keeps_the_nonce(url: str, strange: Any) -> None:
    people = People()
    async with rig(url, signer=people, network=CALM) as r:
        held, other = await sent(r, 2)
        await all_asked(r, people, held, other)
        people.decisions |= {first(held): strange, first(other): "sign"}
        sender = await r.senders.of(r.key)
        code = {"wrong": "signer.wrong_signature", "nonsense": "signer.bad_answer"}[strange]
        await r.until(lambda: sender.paused == code and r.states(other)[-1:] == ["signed"], "the pause")
        (waiting,) = await sent(r, 1)
        await asyncio.sleep(0.5)
        assert first(waiting) not in people.asked
        assert r.reasons(held) == [code]
        assert r.row(held)["state"] == "signing"
        people.default = "sign"
        people.decisions[first(held)] = "sign"
        await all_final(r, held, other, waiting)
        assert sender.paused is None
        assert await nonces_of(r, held, other, waiting) == [0, 1, 2]


class Once(People):
    """Signs at once, but says something strange the first time."""

    @property
    def capabilities(self) -> Any:
        return replace(super().capabilities, is_sync=True)


async def test_strange_answer_of_a_signer_that_answers_at_once_keeps_the_nonce_too(url: str) -> None:
    people = Once("wrong")
    async with rig(url, signer=people, network=CALM) as r:
        held, other = await sent(r, 2)
        sender = await r.senders.of(r.key)
        await r.until(lambda: sender.paused == "signer.wrong_signature", "the pause")
        await r.until(lambda: r.reasons(held) == r.reasons(other) == ["signer.wrong_signature"], "the reason")
        (waiting,) = await sent(r, 1)
        assert list(people.asked) == [first(held), first(other)]
        people.default = "sign"
        await all_final(r, held, other, waiting)
        assert await nonces_of(r, held, other, waiting) == [0, 1, 2]


async def test_what_was_signed_behind_a_refused_one_is_signed_again_under_its_nonce(url: str) -> None:
    people = Once("sign")
    async with rig(url, signer=people, network=CALM) as r:
        intents = [r.intent() for _ in range(4)]
        people.decisions[first(intents[1])] = "reject"
        futures = await r.send(*intents)
        with pytest.raises(IntentRefused):
            await futures[1]
        await asyncio.gather(futures[0], *futures[2:])
        await all_final(r, intents[0], *intents[2:])
        assert await nonces_of(r, intents[0], *intents[2:]) == [0, 1, 2]
        assert f"{intents[2].tx_id}:1.1" in people.asked


async def stuck(r: Rig, people: People) -> Intent:
    """One that is out and not mined: nobody makes blocks."""
    (intent,) = await sent(r, 1)
    await all_asked(r, people, intent)
    people.decisions[first(intent)] = "sign"
    await r.until(lambda: r.row(intent)["state"] == "broadcast", "the broadcast")
    return intent


async def test_replacement_that_people_decide_survives_a_kill_and_receipts_are_looked_for_meanwhile(url: str) -> None:
    people = People()
    async with rig(url, signer=people, mining=False, network=replace(FAST, bump_after_s=0.3)) as r:
        intent = await stuck(r, people)
        second = f"{intent.tx_id}:2"
        await r.until(lambda: second in people.asked, "the replacement to be asked for")
        asked, state, key = dict(people.asked), r.state, r.key
    async with rig(
        url, signer=people, mining=False, network=replace(FAST, bump_after_s=0.3), state=state, key=key
    ) as r:
        await r.until(lambda: people._at_once > 0, "it to be asked for again")  # pyright: ignore[reportPrivateUsage]  # a look
        assert people.asked == asked
        people.decisions[second] = "sign"
        await r.until(lambda: len(r.row(intent)["attempts"]) == 2, "the replacement")
        third = f"{intent.tx_id}:3"
        await r.until(lambda: third in people.asked, "the next one to be asked for")
        for _ in range(4):
            await r.mine()
        await r.until(lambda: r.row(intent)["state"] == "final", "finality although the next replacement is undecided")
        assert await r.executions(intent) == 1
        people.default = "sign"


async def test_refused_replacement_leaves_the_transaction_and_the_next_has_another_name(url: str) -> None:
    people = People()
    async with rig(url, signer=people, mining=False, network=CALM) as r:
        intent = await stuck(r, people)
        tracked = r.tracker.get(intent.tx_id)
        assert tracked is not None
        people.decisions[f"{intent.tx_id}:2"] = "reject"
        with pytest.raises(NotReplaceable, match=r"signer\.rejected"):
            await r.tracker.speed_up(tracked)
        people.decisions[f"{intent.tx_id}:2.1"] = "sign"
        await r.tracker.cancel(tracked)
        assert [attempt["kind"] for attempt in r.row(intent)["attempts"]] == ["initial", "cancel"]
        for _ in range(4):
            await r.mine()
        await r.until(lambda: r.row(intent)["state"] in ("cancelled", "final"), "the end")
        assert await r.executions(intent) + (r.row(intent)["state"] == "cancelled") == 1


async def test_tracker_survives_whatever_the_key_holder_says(url: str) -> None:
    people = Once("sign")
    async with rig(url, signer=people, mining=False, network=replace(FAST, bump_after_s=0.3)) as r:
        (intent,) = await sent(r, 1)
        await r.until(lambda: r.states(intent)[-1:] == ["broadcast"], "the broadcast")
        people.default = "nonsense"
        await r.until(lambda: "signer.bad_answer" in r.reasons(intent), "the pause")
        for _ in range(4):
            await r.mine()
        await all_final(r, intent)


@pytest.mark.parametrize("number", range(2))
async def test_whatever_people_decide_and_whenever_it_is_killed_each_is_executed_once_or_proven_refused(
    url: str, number: int
) -> None:
    """40 intents, random decisions in random order, five lives. What was asked for under a name never changes: People insist."""
    drawn = random.Random(f"{a_seed()}-{number}")
    people, state, key, intents = People(max_inflight=6), None, None, list[Intent]()
    for life in range(5):
        async with rig(url, signer=people, network=CALM, state=state, key=key) as r:
            state, key = r.state, r.key
            intents += [r.intent(number=10**6 * (number + 1) + len(intents) + n) for n in range(10 if life < 4 else 0)]
            await r.send(
                *(
                    i
                    for i in intents
                    if r.state.transactions.get(i.tx_id, {}).get("state") in (None, "signing", "queued", "paused")
                )
            )
            for _ in range(drawn.randrange(5, 25) if life < 4 else 4000):
                for name in drawn.sample(people.open(), k=min(2, len(people.open()))):
                    people.decisions[name] = (
                        "sign" if ".fill" in name else drawn.choice(["sign", "sign", "sign", "reject"])
                    )
                if life == 4 and all(
                    r.state.transactions.get(i.tx_id, {}).get("state") in ("final", "sign_rejected") for i in intents
                ):
                    break
                await asyncio.sleep(0.02)
            if life == 4:
                ends = {i: r.row(i)["state"] for i in intents}
                assert set(ends.values()) <= {"final", "sign_rejected"}, ends
                assert [await r.executions(i) for i in intents] == [int(ends[i] == "final") for i in intents]
                assert await r.nonce_gaps() == 0
                assert len({ends[i] for i in intents}) == 2


def test_nonces_given_back_are_given_out_first_and_the_top_shrinks() -> None:
    nonces = Nonces(5)
    assert [nonces.take() for _ in range(4)] == [5, 6, 7, 8]
    nonces.give_back([6])
    assert (nonces.next, nonces.gaps) == (9, {6})
    nonces.give_back([8, 7])
    assert (nonces.next, nonces.gaps) == (6, set())
    assert nonces.take() == 6
    nonces.give_back([5])
    assert [nonces.take(), nonces.take()] == [5, 7]
    nonces.give_back([5])
    assert nonces.catch_up(6)
    assert (nonces.next, nonces.gaps) == (8, set())
    assert not nonces.catch_up(8)
