"""The compiled book against the reference: the same commands, every event and the whole state compared after each step.

The state includes the rolling hash and the statistics, because a snapshot does. TOKENX_LONG_TESTS=1 runs far longer;
TOKENX_SEED repeats a run whose printed seed failed.
"""

import random
from collections.abc import Callable

import hypothesis
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from matcher_core import Book, Command, Op, ReferenceBook, SelfTradePrevention, decode_events
from matcher_core.types import MAX_PRICE_TICKS, BookState
from tests.core import generators
from tests.core.builders import LONG_RUN, a_seed
from tests.core.generators import KINDS, World, near, packed

SYMBOL = 3
RANDOMS = st.randoms(use_true_random=False)
ORDERS = [name for name in KINDS if name not in ("state", "go_on", "call", "mass_cancel", "bands")]


class BothBooks(RuleBasedStateMachine):
    """Hypothesis chooses commands; both books answer."""

    @initialize(stp=st.sampled_from(SelfTradePrevention), max_orders=st.sampled_from([1 << 20] * 7 + [4]))
    def open(self, stp: SelfTradePrevention, max_orders: int) -> None:
        self.fast = Book(SYMBOL, stp=stp, max_orders=max_orders)
        self.plain = ReferenceBook(SYMBOL, stp=stp, max_orders=max_orders)
        self.seq = 0

    def world(self, rng: random.Random) -> World:
        self.seq += 100
        return World(rng, self.plain, seq=self.seq)

    def send(self, data: bytes) -> None:
        got, expected = bytes(self.fast.process(data)), self.plain.process(data)
        assert got == expected, f"{decode_events(got)} instead of {decode_events(expected)}"

    @rule(kind=st.sampled_from(ORDERS), rng=RANDOMS)
    def order(self, kind: str, rng: random.Random) -> None:
        self.send(packed(KINDS[kind](self.world(rng))))

    @rule(kinds=st.lists(st.sampled_from(ORDERS), min_size=2, max_size=6), rng=RANDOMS)
    def several(self, kinds: list[str], rng: random.Random) -> None:
        """One call with many commands; the generator saw the book before the first of them."""
        w = self.world(rng)
        self.send(packed([command for kind in kinds for command in KINDS[kind](w)]))

    @rule(kind=st.sampled_from(["state", "call", "mass_cancel", "bands", "bands"]), rng=RANDOMS)
    def venue(self, kind: str, rng: random.Random) -> None:
        self.send(packed(KINDS[kind](self.world(rng))))

    @precondition(lambda self: self.plain.state is not BookState.TRADING)  # pyright: ignore
    @rule(rng=RANDOMS)
    def go_on(self, rng: random.Random) -> None:
        self.send(packed(KINDS["go_on"](self.world(rng))))

    @rule(make=st.sampled_from([generators.nonsense, generators.damaged]), rng=RANDOMS)
    def nonsense(self, make: Callable[[World], bytes], rng: random.Random) -> None:
        """Whatever bytes: answers, never a crash."""
        self.send(make(self.world(rng)))

    @rule(which=st.sampled_from(["compiled", "reference"]))
    def restart(self, which: str) -> None:
        """Going on from a snapshot, also from the other's, is the same as never having stopped."""
        if which == "compiled":
            self.fast = Book.restore(self.plain.snapshot())
        else:
            self.plain = ReferenceBook.restore(self.fast.snapshot())

    @invariant()
    def same(self) -> None:
        if not hasattr(self, "fast"):
            return
        self.fast.check_invariants()
        self.plain.check_invariants()
        assert self.fast.snapshot() == self.plain.snapshot()


@pytest.mark.timeout(7200 if LONG_RUN else 900)
def test_books_agree_when_hypothesis_drives_them():
    profile = settings(
        max_examples=20_000 if LONG_RUN else 2_000,
        stateful_step_count=50 if LONG_RUN else 30,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    run_state_machine_as_test(hypothesis.seed(a_seed())(BothBooks), settings=profile)


def wide(rng: random.Random) -> int:
    return rng.randrange(1, 9000)


def anywhere(rng: random.Random) -> int:
    return rng.randrange(1, 1 << rng.randrange(1, 64))


def clustered(rng: random.Random) -> int:
    """A few dense regions far from each other, so that windows move and levels change between window and tree."""
    return rng.choice([1, 10**6, 10**6 + 270_000, 2**40, MAX_PRICE_TICKS - 2000]) + rng.randrange(2000)


PRICES = [near, wide, anywhere, clustered]


@pytest.mark.timeout(3600 if LONG_RUN else 300)
@pytest.mark.parametrize("price", PRICES)
@pytest.mark.parametrize("stp", SelfTradePrevention)
def test_books_agree_when_many_random_commands_of_all_kinds_run(
    stp: SelfTradePrevention, price: Callable[[random.Random], int]
):
    rng = random.Random(a_seed())
    fast, plain = Book(SYMBOL, stp=stp), ReferenceBook(SYMBOL, stp=stp)
    world = World(rng, plain, ids=400, price_near=price, edges=False)
    for step in range(20_000 if LONG_RUN else 600):
        data = packed([command for _ in range(4) for command in generators.any_batch(world)])
        assert bytes(fast.process(data)) == plain.process(data), f"step {step}"
        if step % 50 == 0:
            fast.check_invariants()
            plain.check_invariants()
            assert fast.snapshot() == plain.snapshot()
        if step % 200 == 100:
            fast = Book.restore(plain.snapshot())
    assert fast.snapshot() == plain.snapshot()
    statistics = plain.statistics()
    assert statistics.accepted > statistics.rejected, "most of what is tried should be possible"


@pytest.mark.parametrize("price", PRICES)
def test_books_agree_when_many_random_plain_commands_run(price: Callable[[random.Random], int]):
    rng = random.Random(a_seed())
    for stp in SelfTradePrevention:
        fast, plain = Book(SYMBOL, stp=stp), ReferenceBook(SYMBOL, stp=stp)
        for seq in range(0, 60_000 if LONG_RUN else 3_000, 20):
            data = b"".join(random_command(rng, seq + i, price(rng)).pack() for i in range(20))
            assert bytes(fast.process(data)) == plain.process(data), f"seq {seq}"
            if seq % 500 == 0:
                fast.check_invariants()
                assert fast.state_hash() == plain.state_hash()
        fast.check_invariants()
        assert fast.snapshot() == plain.snapshot()


def random_command(rng: random.Random, seq: int, price: int) -> Command:
    op = rng.choices([Op.LIMIT, Op.MARKET, Op.CANCEL, Op.REPLACE, Op.MASS_CANCEL], [60, 4, 20, 16, 0.1])[0]
    tif = rng.choice([1, 2]) if op == Op.MARKET else rng.choices([0, 1, 2], [18, 1, 1])[0]
    post = int(op == Op.LIMIT and tif == 0 and rng.random() < 0.05)
    owner = rng.randrange(4)
    protection = rng.choice([0, price]) if op == Op.MARKET else price
    return Command(
        op, rng.randrange(2), tif, post, SYMBOL, seq, rng.randrange(1, 1500), owner, 0, protection, rng.randrange(1, 30)
    )


def test_books_agree_when_the_book_is_large_enough_for_prefetching():
    """Beyond some ten thousand live orders batches prefetch; that may change time only."""
    rng = random.Random(a_seed())
    fast, plain = Book(SYMBOL), ReferenceBook(SYMBOL)
    build = [
        Command(Op.LIMIT, i & 1, symbol=SYMBOL, order_id=i, owner=i % 4, price=rng.randrange(1, 3000) + 5000 * (i & 1), quantity=9)
        for i in range(2000, 22_000)
    ]  # fmt: skip
    traffic = [random_command(rng, i, rng.randrange(2500, 5500)) for i in range(4000)]
    traffic = [c._replace(order_id=rng.randrange(1, 25_000)) for c in traffic if c.op != Op.MASS_CANCEL]
    packed = b"".join(c.pack() for c in [*build, *traffic])
    assert fast.process(packed) == plain.process(packed)
    fast.check_invariants()
    assert fast.snapshot() == plain.snapshot()
