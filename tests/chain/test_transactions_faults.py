"""What nodes and networks do to a transaction, one fault at a time (T1 to T12, T26 to T31, T33 of the fault list). In this process, on a real node."""

import asyncio
import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.chain.rig import FAST, REVERTS, Rig, ask, rig
from tests.support.seed_signer import SeedSigner
from tests.support.servers import AnvilServer, anvil_server
from tokenx_chain.networks.base import Network
from tokenx_chain.signers.base import SignedTransaction, SignerUnavailable, UnsignedTransaction
from tokenx_chain.signers.errors import SignRejected
from tokenx_chain.transactions.errors import IntentCancelled, IntentRefused, NonceLost
from tokenx_chain.transactions.replacer import NotReplaceable

pytestmark = pytest.mark.stack

GWEI = 10**9
SEND = "eth_sendRawTransaction"


@pytest.fixture(scope="module")
def anvil() -> Iterator[AnvilServer]:
    with anvil_server(None) as node:
        yield node


@pytest.fixture
async def url(anvil: AnvilServer) -> str:
    """A node on which nothing is mined but by order, with the usual base fee."""
    await ask(anvil.url, "evm_setAutomine", False)
    await ask(anvil.url, "anvil_dropAllTransactions")
    await ask(anvil.url, "anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    await ask(anvil.url, "evm_mine")
    return anvil.url


async def in_pool(r: Rig, tx_hash: str) -> bool:
    return await r.ask("eth_getTransactionByHash", tx_hash) is not None


async def signed(r: Rig, *intents: Any) -> list[Any]:
    return await asyncio.wait_for(asyncio.gather(*await r.send(*intents)), 20)


async def settled(r: Rig) -> None:
    """The node's pool has what was sent."""
    for _ in range(100):
        if all([await in_pool(r, row["tx_hash"]) for row in r.state.transactions.values()]):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("not in the pool")


async def test_plain_intent_goes_through_its_states(url: str) -> None:
    async with rig(url) as r:
        intent = r.intent()
        (receipt,) = await r.final(intent)
        assert receipt.ok
        assert await r.executions(intent) == 1
        assert r.states(intent) == ["signed", "broadcast", "mined", "final"]
        row = r.row(intent)
        assert row["effective_gas_price"] > 0
        assert row["gas_used"] > 21_000
        assert [(a["attempt"], a["kind"]) for a in row["attempts"]] == [(1, "initial")]


async def test_t1_nonce_too_low_for_our_own_mined_bytes_is_success(url: str) -> None:
    async with rig(url, mining=False) as r:
        r.faults.lose_answers[SEND] = 1
        intent = r.intent()
        (entry,) = await signed(r, intent)
        await r.mine(4)
        await r.tracker.broadcast([entry])  # the node answers: nonce too low
        await r.until(lambda: r.row(intent)["state"] == "final", "finality")
        assert await r.executions(intent) == 1


async def test_t3_bytes_the_node_has_already_are_as_good_as_accepted_in_every_spelling(url: str) -> None:
    """The answer to the first broadcast is lost; sent again, the same bytes are known already, which each client says in its own words."""
    spellings = ["already known", "Known transaction", "known transaction: 0xab", "AlreadyKnown", "transaction already imported", "same hash was already imported",
                 "tx already exists in cache", "already in mempool", "DUPLICATE_TRANSACTION"]  # fmt: skip
    patient = replace(FAST, bump_after_s=None)  # nothing is mined for a while: no second attempt may come of that
    async with rig(url, mining=False, network=patient) as r:
        intents: list[Any] = []
        for spelling in spellings:
            r.faults.lose_answers[SEND] = 1
            r.faults.rewrite = {"already imported": spelling}
            intent = r.intent()
            intents.append(intent)
            (entry,) = await signed(r, intent)
            await settled(r)
            await r.tracker.broadcast([entry])
            await r.until(lambda intent=intent: r.row(intent)["state"] == "broadcast", f"{spelling} to be understood")
            assert r.tracker.paused == {}
        r.tasks.append(asyncio.create_task(_mining(r)))
        await r.until(lambda: all(r.row(i)["state"] == "final" for i in intents), "finality")
        assert [await r.executions(i) for i in intents] == [1] * len(spellings)
        assert {len(r.row(i)["attempts"]) for i in intents} == {1}


@pytest.mark.parametrize("safe", [True, False])
async def test_t2_nonce_used_by_another_is_bound_again_once_and_only_where_agreed(url: str, safe: bool) -> None:
    async with rig(url, mining=False) as r:
        r.faults.plan = lambda methods: "drop" if SEND in methods else "pass"
        intent = r.intent(safe_to_rebind=safe)
        (entry,) = await signed(r, intent)
        await r.ask("anvil_setNonce", await r.address(), hex(entry.nonce + 1))
        r.faults.plan = None
        r.tasks.append(asyncio.create_task(_mining(r)))
        if not safe:
            with pytest.raises(NonceLost):
                await asyncio.wait_for(r.tracker.final(entry), 20)
            assert r.row(intent)["state"] == "nonce_lost"
            assert [letter["ref_id"] for letter in r.state.dead_letters] == [intent.tx_id]
            return
        receipt = await asyncio.wait_for(r.tracker.final(entry), 20)
        assert receipt.ok
        assert await r.executions(intent) == 1
        assert [(a["kind"], a["nonce"]) for a in r.row(intent)["attempts"]] == [("initial", 0), ("rebind", 1)]
        assert r.states(intent) == ["signed", "nonce_lost", "signed", "broadcast", "mined", "final"]
        assert r.reasons(intent)[0] == "nonce_consumed_externally"


async def _mining(r: Rig) -> None:
    while True:
        await r.mine()
        await asyncio.sleep(0.1)


async def test_t2_second_loss_of_a_nonce_is_not_bound_again(url: str) -> None:
    async with rig(url) as r:
        r.faults.plan = lambda methods: "drop" if SEND in methods else "pass"
        intent = r.intent(safe_to_rebind=True)
        (entry,) = await signed(r, intent)
        await r.ask("anvil_setNonce", await r.address(), hex(1))
        await r.until(lambda: len(r.row(intent)["attempts"]) == 2, "the second nonce")
        await r.ask("anvil_setNonce", await r.address(), hex(2))
        with pytest.raises(NonceLost):
            await asyncio.wait_for(r.tracker.final(entry), 20)
        assert await r.executions(intent) == 0


async def test_t4_underpriced_replacements_climb_until_accepted(url: str) -> None:
    """The pool wants far more than was offered first; each attempt raises both fields by an eighth at least."""
    async with rig(url) as r:
        r.faults.floor_wei = 10 * GWEI
        intent = r.intent()
        (receipt,) = await r.final(intent)
        assert receipt.ok
        attempts = r.row(intent)["attempts"]
        assert len(attempts) > 3
        for before, after in itertools.pairwise(attempts):
            assert after["max_fee"] * 8 >= before["max_fee"] * 9
            assert after["max_tip"] * 8 >= before["max_tip"] * 9
            assert after["nonce"] == before["nonce"]
        assert "fee_below_base" in r.reasons(intent)
        assert r.state.dead_letters == []


async def test_t4_ladder_stops_at_the_cap_and_waits_without_a_dead_letter(url: str) -> None:
    capped = replace(FAST, fee_cap_wei=5 * GWEI)
    async with rig(url, network=capped) as r:
        r.faults.floor_wei = 10 * GWEI
        intent = r.intent()
        await signed(r, intent)
        await r.until(lambda: "stuck_capped" in r.reasons(intent), "the cap")
        assert max(a["max_fee"] for a in r.row(intent)["attempts"]) <= 5 * GWEI
        assert r.state.dead_letters == []
        r.faults.floor_wei = 0
        await r.until(lambda: r.row(intent)["state"] == "final", "the floor to come down")
        assert await r.executions(intent) == 1


async def test_stuck_transaction_is_replaced_and_only_the_first_of_its_sender(url: str) -> None:
    async with rig(url, mining=False) as r:
        first, second = r.intent(), r.intent()
        await signed(r, first, second)
        await settled(r)
        r.faults.min_bump_percent = 10
        await r.until(lambda: len(r.row(first)["attempts"]) == 2, "a replacement")
        assert len(r.row(second)["attempts"]) == 1
        r.tasks.append(asyncio.create_task(_mining(r)))
        await r.until(lambda: r.row(second)["state"] == "final", "finality")
        assert [await r.executions(intent) for intent in (first, second)] == [1, 1]


async def test_first_attempt_mined_after_a_replacement_was_sent_counts(url: str) -> None:
    """Every attempt is looked for, not only the last."""
    async with rig(url, mining=False) as r:
        intent = r.intent()
        (entry,) = await signed(r, intent)
        await settled(r)
        r.faults.plan = lambda methods: "drop" if SEND in methods else "pass"
        await r.tracker.speed_up(_tracked(r, intent))
        await r.mine(4)
        receipt = await asyncio.wait_for(r.tracker.final(entry), 20)
        assert receipt.tx_hash == entry.tx_hash
        assert r.row(intent)["state"] == "final"


def _tracked(r: Rig, intent: Any) -> Any:
    found = r.tracker.get(intent.tx_id)
    assert found is not None
    return found


async def test_cancelled_intent_leaves_its_nonce_to_nobody_and_lets_the_next_pass(url: str) -> None:
    async with rig(url, mining=False) as r:
        first, second = r.intent(), r.intent()
        entry, _ = await signed(r, first, second)
        await settled(r)
        await r.tracker.cancel(_tracked(r, first))
        r.tasks.append(asyncio.create_task(_mining(r)))
        with pytest.raises(IntentCancelled):
            await asyncio.wait_for(r.tracker.mined(entry), 20)
        await r.until(lambda: r.row(second)["state"] == "final", "the next one")
        assert [await r.executions(intent) for intent in (first, second)] == [0, 1]
        assert r.states(first)[-1] == "cancelled"
        assert [a["kind"] for a in r.row(first)["attempts"]] == ["initial", "cancel"]
        with pytest.raises(NotReplaceable):
            await r.tracker.cancel(_tracked(r, second))


async def test_queued_intent_is_withdrawn_before_it_has_a_nonce(url: str) -> None:
    async with rig(url, funded_wei=0) as r:
        first, second = r.intent(), r.intent()
        futures = await r.send(first, second)
        await r.until(lambda: r.states(second) == ["paused"], "the pause")
        assert await r.senders.withdraw(first.tx_id)
        with pytest.raises(IntentCancelled):
            await futures[0]
        await r.ask("anvil_setBalance", await r.address(), hex(10**18))
        assert (await asyncio.wait_for(futures[1], 20)).nonce == 0
        assert not await r.senders.withdraw(second.tx_id)


async def test_t6_lost_before_the_node_is_sent_again(url: str) -> None:
    dropped: list[int] = []

    def drop_twice(methods: list[str]) -> Any:
        if SEND in methods and len(dropped) < 2:
            dropped.append(1)
            return "drop"
        return "pass"

    async with rig(url) as r:
        r.faults.plan = drop_twice
        intent = r.intent()
        await r.final(intent)
        assert (len(dropped), await r.executions(intent)) == (2, 1)


async def test_t9_dropped_from_the_pool_is_sent_again_within_two_blocks(url: str) -> None:
    async with rig(url, mining=False, network=replace(FAST, block_time_s=0.5)) as r:
        intent = r.intent()
        (entry,) = await signed(r, intent)
        await settled(r)
        await r.ask("anvil_dropTransaction", entry.tx_hash)
        started = asyncio.get_running_loop().time()
        await settled(r)
        assert asyncio.get_running_loop().time() - started < 1.6
        await r.mine(4)
        await r.until(lambda: r.row(intent)["state"] == "final", "finality")


async def test_t10_reorganisation_takes_a_mined_transaction_back_and_it_is_mined_again(url: str) -> None:
    async with rig(url, mining=False) as r:
        await r.mine(3)
        intent = r.intent()
        await signed(r, intent)
        await settled(r)
        await r.mine()
        await r.until(lambda: r.row(intent)["state"] == "mined", "the block")
        await r.reorganise()
        await r.until(lambda: "reorganised" in r.reasons(intent), "the reorganisation to be seen")
        r.tasks.append(asyncio.create_task(_mining(r)))
        await r.until(lambda: r.row(intent)["state"] == "final", "finality")
        assert await r.executions(intent) == 1


async def test_t12_reorganisation_with_a_conflicting_nonce_ends_in_proof(url: str) -> None:
    async with rig(url, mining=False) as r:
        await r.mine(3)
        intent = r.intent()
        (entry,) = await signed(r, intent)
        await settled(r)
        await r.mine()
        await r.until(lambda: r.row(intent)["state"] == "mined", "the block")
        r.faults.plan = lambda methods: "drop" if SEND in methods else "pass"
        await r.reorganise()
        await r.ask("anvil_setNonce", await r.address(), hex(entry.nonce + 1))
        r.faults.plan = None
        r.tasks.append(asyncio.create_task(_mining(r)))
        with pytest.raises(NonceLost):
            await asyncio.wait_for(r.tracker.final(entry), 20)
        assert await r.executions(intent) == 0


async def test_t14_endpoint_that_lags_causes_neither_a_reversal_nor_a_lost_nonce(url: str) -> None:
    async with rig(url, endpoints=2) as r:
        r.proxies[1].faults.lag = 3
        intents = [r.intent() for _ in range(10)]
        await r.final(*intents)
        for intent in intents:
            assert not {"nonce_lost"} & set(r.states(intent))
            assert await r.executions(intent) == 1


async def test_same_bytes_go_to_two_endpoints_and_one_of_them_is_enough(url: str) -> None:
    async with rig(url, endpoints=3) as r:
        r.proxies[0].faults.plan = lambda methods: "502"
        intent = r.intent()
        await r.final(intent)
        sent = [proxy.faults.sent for proxy in r.proxies]
        assert sent[0] == []
        assert sent[1]
        assert sent[1][0] == sent[2][0]
        assert r.rpc.report()[-1]["score"] != "1.00"


async def test_t26_base_fee_spike_pauses_before_a_nonce_is_given_out(url: str) -> None:
    capped = replace(FAST, fee_cap_wei=20 * GWEI)
    async with rig(url, mining=False, network=capped) as r:
        await r.ask("anvil_setNextBlockBaseFeePerGas", hex(50 * GWEI))
        await r.mine()
        intent = r.intent()
        await r.send(intent)
        await r.until(lambda: r.reasons(intent) == ["base_fee_spike"], "the pause")
        assert r.row(intent)["nonce"] is None
        await r.ask("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
        r.tasks.append(asyncio.create_task(_mining(r)))
        await r.until(lambda: r.row(intent)["state"] == "final", "the price to come down")
        assert all(a["max_fee"] <= 20 * GWEI for a in r.row(intent)["attempts"])


async def test_t26_base_fee_spike_after_the_broadcast_is_met_up_to_the_cap_and_then_waited_out(url: str) -> None:
    """Fifty times the price while it is out: it is offered more, never more than the cap, and mined by whichever bytes once the price comes down."""
    capped = replace(FAST, fee_cap_wei=20 * GWEI)
    async with rig(url, mining=False, network=capped) as r:
        intent = r.intent()
        await signed(r, intent)
        await settled(r)
        await r.ask("anvil_setNextBlockBaseFeePerGas", hex(50 * GWEI))
        await r.mine()
        await r.until(lambda: "stuck_capped" in r.reasons(intent), "the cap")
        await r.ask("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
        r.tasks.append(asyncio.create_task(_mining(r)))
        await r.until(lambda: r.row(intent)["state"] == "final", "the price to come down")
        assert max(a["max_fee"] for a in r.row(intent)["attempts"]) == 20 * GWEI
        assert {a["nonce"] for a in r.row(intent)["attempts"]} == {0}
        assert await r.executions(intent) == 1
        assert r.state.dead_letters == []


async def test_t27_balance_that_runs_out_pauses_before_signing_and_goes_on_when_funded(url: str) -> None:
    """Twenty intents at once on money for seven: none is signed that could not be paid, whatever is in flight."""
    async with rig(url, mining=False) as r:
        gas, price = 80_000, 2 * GWEI * 2
        await r.ask("anvil_setBalance", await r.address(), hex(7 * gas * price + 1000))
        intents = [r.intent(gas=gas) for _ in range(20)]
        await r.send(*intents)
        await r.until(lambda: any("insufficient_funds" in r.reasons(i) for i in intents), "the pause")
        bound = [i for i in intents if i.tx_id in r.state.transactions and r.row(i)["nonce"] is not None]
        assert 0 < len(bound) <= 7 * 4 // 3
        await settled_bound(r, bound)
        await r.ask("anvil_setBalance", await r.address(), hex(10**18))
        r.tasks.append(asyncio.create_task(_mining(r)))
        await r.until(
            lambda: all(r.state.transactions.get(i.tx_id, {}).get("state") == "final" for i in intents), "all"
        )
        assert sorted(r.row(i)["nonce"] for i in intents) == list(range(20))
        assert [await r.executions(i) for i in intents] == [1] * 20


async def settled_bound(r: Rig, bound: list[Any]) -> None:
    for intent in bound:
        for _ in range(100):
            if await in_pool(r, r.row(intent)["tx_hash"]):
                break
            await asyncio.sleep(0.02)
        else:
            raise AssertionError(f"{intent.tx_id} was signed and then refused: {r.reasons(intent)}")


async def test_signed_transaction_the_node_refuses_for_lack_of_funds_waits_for_money(url: str) -> None:
    """Money left by another way after the signature: the reason is told, and the same bytes go through once it is back."""
    async with rig(url) as r:
        r.faults.plan = lambda methods: "drop" if SEND in methods else "pass"
        first, second = r.intent(), r.intent()
        await signed(r, first, second)
        await r.ask("anvil_setBalance", await r.address(), hex(1))
        r.faults.plan = None
        await r.until(lambda: "insufficient_funds" in r.reasons(first), "the reason")
        await r.ask("anvil_setBalance", await r.address(), hex(10**18))
        await r.until(lambda: r.row(second)["state"] == "final", "both")
        assert [await r.executions(i) for i in (first, second)] == [1, 1]


async def test_bytes_no_node_will_ever_take_make_room_for_the_next(url: str) -> None:
    """Too little gas to exist: its nonce is given to nothing, its intent ends, and the ones after it go on."""
    async with rig(url) as r:
        hopeless, fine = r.intent(gas=20_000), r.intent()
        entry, _ = await signed(r, hopeless, fine)
        with pytest.raises(IntentCancelled):
            await asyncio.wait_for(r.tracker.final(entry), 20)
        await r.until(lambda: r.row(fine)["state"] == "final", "the next one")
        assert "never_valid" in r.reasons(hopeless)
        assert [await r.executions(i) for i in (hopeless, fine)] == [0, 1]


async def test_in_flight_limit_holds_over_all_batches(url: str) -> None:
    async with rig(url, mining=False, network=replace(FAST, in_flight=4)) as r:
        intents = [r.intent() for _ in range(12)]
        await r.send(*intents[:6])
        await r.send(*intents[6:])
        await r.until(lambda: len(r.state.transactions) == 4, "the first four")
        await asyncio.sleep(0.4)
        assert len(r.state.transactions) == 4
        r.tasks.append(asyncio.create_task(_mining(r)))
        await r.until(
            lambda: len([i for i in intents if r.state.transactions.get(i.tx_id, {}).get("state") == "final"]) == 12,
            "all",
        )


async def test_t29_revert_on_chain_is_kept_with_its_reason(url: str) -> None:
    async with rig(url) as r:
        intent = r.intent(REVERTS)
        (receipt,) = await r.final(intent)
        assert not receipt.ok
        row = r.row(intent)
        assert (row["state"], row["revert_code"], row["revert_reason"]) == (
            "reverted",
            "wallet.frozen",
            "wallet is frozen",
        )


async def test_t30_relay_without_a_pool_is_served_one_at_a_time(url: str) -> None:
    """Hedera's habit: a nonce that is not next is answered with a hash and forgotten."""
    hedera = replace(FAST, in_flight=1, bump_after_s=None)
    async with rig(url, network=hedera) as r:
        r.faults.future_nonces = "lost"
        intents = [r.intent() for _ in range(6)]
        await r.final(*intents)
        assert [await r.executions(i) for i in intents] == [1] * 6
        assert [r.row(i)["nonce"] for i in intents] == list(range(6))
        with pytest.raises(NotReplaceable):
            await r.tracker.speed_up(_tracked(r, intents[0]))


async def test_t31_first_layer_fee_of_a_rollup_must_be_in_the_balance(url: str) -> None:
    oracle = "0x" + "0f" * 20
    await ask(url, "anvil_setCode", oracle, "0x" + "670de0b6b3a764000060005260206000f3")  # answers 10**18 to everything
    rollup: Network = replace(FAST, l1_oracle=oracle)
    async with rig(url, network=rollup, funded_wei=10**18) as r:
        intent = r.intent()
        await r.send(intent)
        await r.until(lambda: r.reasons(intent) == ["insufficient_funds"], "the pause")
        await r.ask("anvil_setBalance", await r.address(), hex(2 * 10**18))  # covers the data fee, not the operator's
        await r.mine(2)
        assert r.reasons(intent) == ["insufficient_funds"]
        await r.ask("anvil_setBalance", await r.address(), hex(3 * 10**18))
        await r.until(lambda: r.row(intent)["state"] == "final", "finality")


class Moody(SeedSigner):
    """A remote key holder: away for a while, then rejects every third request, like a policy engine."""

    def __init__(self) -> None:
        super().__init__(b"5eed" * 16)
        self.asked = 0

    async def sign_transaction(self, key_ref: str, transaction: UnsignedTransaction, **named: Any) -> SignedTransaction:
        self.asked += 1
        if self.asked <= 3:
            raise SignerUnavailable("429")
        if transaction.data[-1] % 3 == 0:
            raise SignRejected("blocked by policy")
        return await super().sign_transaction(key_ref, transaction, **named)


async def test_t33_rejected_signature_gives_its_nonce_to_the_next_intent(url: str) -> None:
    async with rig(url, signer=Moody()) as r:
        intents = [r.intent(number=1000 + n) for n in range(9)]
        futures = await r.send(*intents)
        outcomes = await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), 20)
        rejected = [i for i, outcome in zip(intents, outcomes, strict=True) if isinstance(outcome, IntentRefused)]
        passed = [i for i in intents if i not in rejected]
        assert rejected
        await r.until(lambda: all(r.row(i)["state"] == "final" for i in passed), "finality")
        assert [r.row(i)["state"] for i in rejected] == ["sign_rejected"] * len(rejected)
        assert sorted(r.row(i)["nonce"] for i in passed) == list(range(len(passed)))


async def test_t8_node_restarted_without_its_pool_gets_the_journaled_bytes_again(url: str) -> None:
    async with rig(url, mining=False) as r:
        intents = [r.intent() for _ in range(5)]
        await signed(r, *intents)
        await settled(r)
        await r.ask("anvil_dropAllTransactions")
        r.tasks.append(asyncio.create_task(_mining(r)))
        await r.until(lambda: all(r.row(i)["state"] == "final" for i in intents), "finality")
        assert [await r.executions(i) for i in intents] == [1] * 5


async def test_t23_nothing_is_broadcast_while_the_journal_is_away(url: str) -> None:
    away = asyncio.Event()

    async def wait(_records: Any) -> None:
        await away.wait()

    async with rig(url) as r:
        r.journal.before = wait
        intent = r.intent()
        await r.send(intent)
        await asyncio.sleep(0.6)
        assert r.faults.sent == []
        away.set()
        await r.until(lambda: r.state.transactions.get(intent.tx_id, {}).get("state") == "final", "finality")
        assert await r.executions(intent) == 1


async def test_t24_new_key_takes_new_intents_while_the_old_one_drains(url: str) -> None:
    async with rig(url, mining=False) as r:
        new = f"{r.key}@2"
        await r.ask("anvil_setBalance", await r.signer.address(new), hex(10**18))
        before = [r.intent() for _ in range(3)]
        await signed(r, *before)
        after = [r.intent() for _ in range(3)]
        await asyncio.gather(*await r.send(*after, key=new))
        r.tasks.append(asyncio.create_task(_mining(r)))
        await r.until(lambda: all(r.row(i)["state"] == "final" for i in (*before, *after)), "finality")
        assert {r.row(i)["from_address"] for i in before} == {await r.address()}
        assert {r.row(i)["from_address"] for i in after} == {await r.signer.address(new)}
        assert [r.row(i)["nonce"] for i in after] == [0, 1, 2]


async def test_restart_sends_the_journaled_bytes_of_the_last_attempt_unchanged(url: str) -> None:
    async with rig(url, mining=False) as r:
        r.faults.plan = lambda methods: "drop" if SEND in methods else "pass"
        intent = r.intent()
        await signed(r, intent)
        await r.tracker.speed_up(_tracked(r, intent))
        raw = r.row(intent)["attempts"][-1]["raw"]
        state, key = r.state, r.key
    async with rig(url, state=state, key=key, funded_wei=None) as r:
        await r.until(lambda: r.row(intent)["state"] == "final", "finality")
        assert r.faults.sent[0] == raw
        assert await r.executions(intent) == 1
        next_one = r.intent()
        await r.final(next_one)
        assert r.row(next_one)["nonce"] == 1
