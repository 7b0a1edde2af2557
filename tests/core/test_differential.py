"""The compiled book against the reference: the same commands, every event and the state hash compared after each step.

TOKENX_LONG_TESTS=1 runs far longer; TOKENX_SEED repeats a run whose printed seed failed.
"""

import random
from collections.abc import Callable

import hypothesis
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from matcher_core import Book, Command, Op, ReferenceBook, SelfTradePrevention, decode_events
from matcher_core.types import MAX_PRICE_TICKS, MAX_QUANTITY_LOTS
from tests.core.builders import LONG_RUN, a_seed

SYMBOL = 3
IDS = st.integers(1, 14)
OWNERS = st.integers(0, 3)
GROUPS = st.sampled_from([0, 0, 0, 9])
PRICES = st.one_of(
    st.integers(97, 103),
    st.integers(1, 3000),
    st.sampled_from([1, 2, 2**32, 2**62, MAX_PRICE_TICKS - 1, MAX_PRICE_TICKS]),
    st.integers(1, MAX_PRICE_TICKS),
)
QUANTITIES = st.one_of(st.integers(1, 20), st.sampled_from([2**63, MAX_QUANTITY_LOTS]))
U8 = st.integers(0, 255)
U64 = st.integers(0, 2**64 - 1)


class BothBooks(RuleBasedStateMachine):
    """Hypothesis chooses commands; both books answer."""

    @initialize(stp=st.sampled_from(SelfTradePrevention), max_orders=st.sampled_from([3, 1 << 20]))
    def open(self, stp: SelfTradePrevention, max_orders: int) -> None:
        self.seq = 0
        self.fast = Book(SYMBOL, stp=stp, max_orders=max_orders)
        self.plain = ReferenceBook(SYMBOL, stp=stp, max_orders=max_orders)

    def send(self, *commands: Command) -> None:
        packed = b"".join(c.pack() for c in commands)
        got, expected = self.fast.process(packed), self.plain.process(packed)
        assert got == expected, f"{commands}: {decode_events(got)} instead of {decode_events(expected)}"

    def next(self, op: Op, **fields: int) -> Command:
        self.seq += 1
        return Command(op, symbol=SYMBOL, seq=self.seq)._replace(**fields)

    @rule(id=IDS, side=st.integers(0, 1), tif=st.sampled_from([0, 0, 0, 1, 2]), post=st.sampled_from([0, 0, 0, 1]),
          owner=OWNERS, group=GROUPS, price=PRICES, quantity=QUANTITIES)  # fmt: skip
    def limit(self, id: int, side: int, tif: int, post: int, owner: int, group: int, price: int, quantity: int) -> None:
        self.send(
            self.next(
                Op.LIMIT,
                order_id=id,
                side=side,
                tif=tif,
                flags=post,
                owner=owner,
                group=group,
                price=price,
                quantity=quantity,
            )
        )

    @rule(
        start=IDS, count=st.integers(2, 8), side=st.integers(0, 1), owner=OWNERS, price=PRICES, step=st.integers(0, 3)
    )
    def several(self, start: int, count: int, side: int, owner: int, price: int, step: int) -> None:
        """A batch of limit orders at neighbouring prices."""
        batch = [
            self.next(
                Op.LIMIT,
                order_id=start + i,
                side=side,
                owner=owner,
                price=min(price + i * step, MAX_PRICE_TICKS),
                quantity=5,
            )
            for i in range(count)
        ]
        self.send(*batch)

    @rule(id=IDS, side=st.integers(0, 1), tif=st.sampled_from([1, 2]), owner=OWNERS, group=GROUPS,
          protection=st.one_of(st.just(0), PRICES), quantity=QUANTITIES)  # fmt: skip
    def market(self, id: int, side: int, tif: int, owner: int, group: int, protection: int, quantity: int) -> None:
        self.send(
            self.next(
                Op.MARKET,
                order_id=id,
                side=side,
                tif=tif,
                owner=owner,
                group=group,
                price=protection,
                quantity=quantity,
            )
        )

    @rule(id=IDS, owner=OWNERS)
    def cancel(self, id: int, owner: int) -> None:
        self.send(self.next(Op.CANCEL, order_id=id, owner=owner))

    @rule(id=IDS, data=st.data(), post=st.sampled_from([0, 0, 1]))
    def replace(self, id: int, data: st.DataObject, post: int) -> None:
        """Mostly by the right owner, often at the same price."""
        order = self.plain.order(id)
        owner = data.draw(OWNERS) if order is None else data.draw(st.sampled_from([order.owner] * 5 + [99]))
        price = data.draw(PRICES if order is None else st.one_of(st.just(order.price_ticks), PRICES))
        quantity = data.draw(QUANTITIES)
        self.send(self.next(Op.REPLACE, order_id=id, owner=owner, price=price, quantity=quantity, flags=post))

    @rule(owner=OWNERS)
    def mass_cancel(self, owner: int) -> None:
        self.send(self.next(Op.MASS_CANCEL, owner=owner))

    @rule(state=st.sampled_from([1, 1, 1, 1, 2, 3]))
    def set_state(self, state: int) -> None:
        self.send(self.next(Op.SET_STATE, quantity=state))

    @rule(head=st.tuples(U8, U8, U8, U8), rest=st.tuples(U64, U64, U64, U64), price=st.integers(-(2**63), 2**63 - 1),
          tail=st.tuples(U64, st.sampled_from([0, 0, 1])))  # fmt: skip
    def anything(
        self, head: tuple[int, int, int, int], rest: tuple[int, int, int, int], price: int, tail: tuple[int, int]
    ) -> None:
        """Whatever 64 bytes: an answer, never a crash."""
        self.send(Command(*head, SYMBOL, *rest, price, *tail))

    @rule()
    def restart(self) -> None:
        """Going on from a snapshot is the same as never having stopped."""
        image = self.fast.snapshot()
        self.fast, self.plain = Book.restore(image), ReferenceBook.restore(image)

    @invariant()
    def same(self) -> None:
        if not hasattr(self, "fast"):
            return
        self.fast.check_invariants()
        self.plain.check_invariants()
        assert self.fast.snapshot() == self.plain.snapshot()
        assert self.fast.depth(5) == self.plain.depth(5)


@pytest.mark.timeout(3600 if LONG_RUN else 300)
def test_books_agree_when_hypothesis_drives_them():
    profile = settings(
        max_examples=2000 if LONG_RUN else 400,
        stateful_step_count=60 if LONG_RUN else 40,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    run_state_machine_as_test(hypothesis.seed(a_seed())(BothBooks), settings=profile)


def near(rng: random.Random) -> int:
    return rng.randrange(95, 106)


def wide(rng: random.Random) -> int:
    return rng.randrange(1, 9000)


def anywhere(rng: random.Random) -> int:
    return rng.randrange(1, 1 << rng.randrange(1, 64))


def clustered(rng: random.Random) -> int:
    """A few dense regions far from each other, so that windows move and levels change between window and tree."""
    return rng.choice([1, 10**6, 10**6 + 270_000, 2**40, MAX_PRICE_TICKS - 2000]) + rng.randrange(2000)


@pytest.mark.parametrize("price", [near, wide, anywhere, clustered])
def test_books_agree_when_many_random_commands_run(price: Callable[[random.Random], int]):
    rng = random.Random(a_seed())
    for stp in SelfTradePrevention:
        fast, plain = Book(SYMBOL, stp=stp), ReferenceBook(SYMBOL, stp=stp)
        for seq in range(0, 60_000 if LONG_RUN else 3_000, 20):
            packed = b"".join(random_command(rng, seq + i, price(rng)).pack() for i in range(20))
            assert fast.process(packed) == plain.process(packed), f"seq {seq}"
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
