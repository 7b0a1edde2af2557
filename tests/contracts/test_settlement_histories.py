"""Random batches of good and spoilt fills among five parties, against a model: whole or nothing, once, and nothing lost."""

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any, Final

import pytest

from tests.contracts.evm import Contract, Reverted
from tests.contracts.market import FOREVER, Market, Party, open_market, party
from tests.contracts.suites import Suite, Trex
from tokenx_chain.contracts.calls import ZERO_ADDRESS
from tokenx_chain.contracts.settlement import AssetKind, Fill, Leg, LegKind, SignedFill

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

HISTORIES: Final = ((1122, 160), (31337, 80))
"""Seed and number of batches."""
SPOILS: Final = (
    "expired", "no consent", "foreign consent", "changed amount", "stranger operator", "too much", "fee too high", "withdrawn", "cancelled", "seen before",
)  # fmt: skip


@dataclass
class Books:
    """What everybody has, has allowed the contract, and which ids are spent. Keys: (asset, account)."""

    balance: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    allowance: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    frozen: set[str] = field(default_factory=set[str])
    settled: Counter[bytes] = field(default_factory=Counter[bytes])
    closed: set[bytes] = field(default_factory=set[bytes])

    def copy(self) -> "Books":
        return Books(self.balance.copy(), self.allowance.copy(), set(self.frozen), self.settled.copy(), set(self.closed))  # fmt: skip

    def settle(self, fill: Fill, securities: set[str]) -> bool:
        """Applies a sound fill; False, and nothing changed, when it cannot settle."""
        if fill.key in self.closed:
            return False
        after = self.copy()
        for leg in fill.legs:
            here = (leg.asset, leg.sender)
            if after.balance[here] < leg.amount or after.allowance[here] < leg.amount:
                return False
            if leg.asset in securities and {leg.sender, leg.receiver} & self.frozen:
                return False
            after.balance[here] -= leg.amount
            after.allowance[here] -= leg.amount
            after.balance[leg.asset, leg.receiver] += leg.amount
        after.closed.add(fill.key)
        after.settled[fill.key] += 1
        self.__dict__.update(after.__dict__)
        return True


class Trading:
    """Five investors, two of them in the operator's custody; two securities and a coin."""

    def __init__(self, trex: Trex, seed: int) -> None:
        self.rng = random.Random(seed)
        self.market: Market = open_market(trex)
        self.evm, self.books, self.count = trex.evm, Books(), Counter[str]()
        self.people = {p.address: p for p in (party(f"investor {n} of {seed}") for n in range(5))}
        self.custodial = set(list(self.people)[:2])
        self.suites: list[Suite] = [trex.suite(), trex.suite()]
        self.assets: list[Contract] = [*(s.token for s in self.suites), self.market.cash]
        self.securities = {s.token.address for s in self.suites}
        self.names = 0
        self.past: list[SignedFill] = []
        for suite in self.suites:
            self.market.own("setAsset", suite.token.address, int(AssetKind.SECURITY))
        for n, address in enumerate(self.people):
            self._endow(address, trex.identity(address), n)

    def _endow(self, address: str, identity: str, n: int) -> None:
        self.evm.fund(address)
        for suite in self.suites:
            suite.register(address, identity)
            suite.mint(address, 500)
            self.books.balance[suite.token.address, address] = 500
        self.evm.send(self.market.cash.call("mint", address, 20_000), self.market.owner)
        self.books.balance[self.market.cash.address, address] = 20_000
        for asset in self.assets:
            self._allow(asset, address)
        if address in self.custodial:
            self.evm.send(self.market.settlement.set_custodian(self.market.operator.address), address)
        assert n < 5

    def _allow(self, asset: Contract, address: str) -> None:
        amount = self.rng.randint(200, 20_000)
        self.evm.send(asset.call("approve", self.market.contract.address, amount), address)
        self.books.allowance[asset.address, address] = amount

    # --- one batch ---

    def step(self) -> None:
        """Something happens beside, then a batch; chain and books agree."""
        self._meanwhile()
        made = [self._fill() for _ in range(self.rng.randint(1, 8))]
        whole = self.rng.random() < 0.25
        expected = self._expect([(signed.fill, spoilt) for signed, spoilt in made], whole=whole)
        fills = [signed for signed, _ in made]
        if whole:
            self._settle_all(fills, expected)
        else:
            mined = self.evm.send(self.market.settlement.settle_batch(fills), self.market.submitter, gas=29_000_000)
            reports = self.market.settlement.fill_reports(mined.logs)
            assert [(r.key, r.reason is None) for r in reports] == [(f.fill.key, ok) for f, ok in zip(fills, expected, strict=True)]  # fmt: skip
            moved = [(r.key, r.leg) for r in self.market.settlement.leg_reports(mined.logs)]
            assert moved == [(f.fill.key, leg) for f, ok in zip(fills, expected, strict=True) if ok for leg in f.fill.legs]  # fmt: skip
        self.past += fills
        self.count.update("settled" if ok else "failed" for ok in expected)

    def _expect(self, made: list[tuple[Fill, bool]], *, whole: bool) -> list[bool]:
        before = self.books.copy()
        done = [not spoilt and self.books.settle(fill, self.securities) for fill, spoilt in made]
        if whole and not all(done):
            self.books = before
            return [False] * len(done)
        return done

    def _settle_all(self, fills: list[SignedFill], expected: list[bool]) -> None:
        call = self.market.settlement.settle_all(fills)
        if all(expected):
            self.evm.send(call, self.market.submitter, gas=29_000_000)
            self.count["whole batch settled"] += 1
            return
        with pytest.raises(Reverted, match="FillRefused"):
            self.evm.send(call, self.market.submitter, gas=29_000_000)
        self.count["whole batch refused"] += 1

    def _meanwhile(self) -> None:
        """Allowances renewed, wallets frozen and thawed, cash moved past the contract."""
        for _ in range(self.rng.randint(2, 6)):
            self._allow(self.rng.choice(self.assets), self.rng.choice(list(self.people)))
        if self.rng.random() < 0.3:
            who = self.rng.choice(list(self.people))
            frozen = who not in self.books.frozen and self.rng.random() < 0.3
            for suite in self.suites:
                suite.act(suite.token.call("setAddressFrozen", who, frozen))
            (self.books.frozen.add if frozen else self.books.frozen.discard)(who)
        if self.rng.random() < 0.3:
            a, b = self.rng.sample(list(self.people), 2)
            coin = self.market.cash
            amount = self.rng.randint(0, self.books.balance[coin.address, a] // 3)
            self.evm.send(coin.call("transfer", b, amount), a)
            self.books.balance[coin.address, a] -= amount
            self.books.balance[coin.address, b] += amount

    # --- fills, good and spoilt ---

    def _fill(self) -> tuple[SignedFill, bool]:
        """A fill and whether it was spoilt on purpose."""
        self.names += 1
        fill = Fill(f"fill {self.names}", FOREVER, self._legs())
        spoil = self.rng.choice(SPOILS) if self.rng.random() < 0.25 else ""
        if spoil == "seen before":
            return self._again(fill)
        return self._spoilt(fill, spoil) if spoil else (self._sign(fill), False)

    def _again(self, fill: Fill) -> tuple[SignedFill, bool]:
        """The id of a fill that has settled, with new legs and all signatures."""
        self.count["seen before"] += 1
        spent = [signed.fill.settlement_id for signed in self.past if self.books.settled[signed.fill.key]]
        again = replace(fill, settlement_id=self.rng.choice(spent)) if spent else fill
        return self._sign(again), bool(spent)

    def _legs(self) -> tuple[Leg, ...]:
        """One or two trades, sometimes a fee, in any order."""
        legs: list[Leg] = []
        for _ in range(self.rng.choice((1, 1, 1, 2))):
            seller, buyer = self.rng.sample(list(self.people), 2)
            cash, units = self.rng.randint(100, 900), self.rng.randint(1, 40)
            legs.append(Leg(LegKind.DELIVERY, self.rng.choice(self.suites).token.address, seller, buyer, units))
            legs.append(Leg(LegKind.PAYMENT, self.market.cash.address, buyer, seller, cash))
            if self.rng.random() < 0.4:
                legs.append(Leg(LegKind.FEE, self.market.cash.address, buyer, self.market.collector.address, cash // 100))  # fmt: skip
        self.rng.shuffle(legs)
        return tuple(legs)

    def _sign(self, fill: Fill, *, by: Party | None = None) -> SignedFill:
        operator = by or self.market.operator
        digest = fill.digest(self.market.domain)
        consents = tuple(b"" if leg.sender in self.custodial else self.people[leg.sender].sign(digest) for leg in fill.legs)  # fmt: skip
        return SignedFill(fill, operator.address, operator.sign(digest), consents)

    def _spoilt(self, fill: Fill, spoil: str) -> tuple[SignedFill, bool]:
        first = fill.legs[0]
        own = next((n for n, leg in enumerate(fill.legs) if leg.sender not in self.custodial), None)
        self.count[spoil] += 1
        if spoil == "expired":
            return self._sign(replace(fill, expires_at=self.evm.now() - 1)), True
        if spoil == "too much":
            return self._sign(replace(fill, legs=(replace(first, amount=10**9), *fill.legs[1:]))), True
        if spoil == "fee too high":
            fee = Leg(LegKind.FEE, self.market.cash.address, first.sender, self.market.collector.address, 200)
            return self._sign(replace(fill, legs=(*fill.legs, fee))), True
        if spoil == "stranger operator":
            return self._sign(fill, by=self.market.stranger), True
        if spoil == "changed amount":
            signed = self._sign(fill)
            return replace(signed, fill=replace(fill, legs=(replace(first, amount=first.amount + 1), *fill.legs[1:]))), True  # fmt: skip
        if spoil == "cancelled":
            self.evm.send(self.market.settlement.cancel(fill.settlement_id), self.market.submitter)
            return self._sign(fill), True
        if spoil == "withdrawn":
            self.evm.send(self.market.settlement.withdraw_consent(fill.digest(self.market.domain)), first.sender)
            return self._sign(fill), True
        if own is None:  # everybody in custody: there is no consent to spoil
            return self._sign(fill), False
        signed, giver = self._sign(fill), fill.legs[own].sender
        wrong = b"" if spoil == "no consent" else self.market.stranger.sign(fill.digest(self.market.domain))
        consents = tuple(wrong if leg.sender == giver else c for leg, c in zip(fill.legs, signed.consents, strict=True))
        return replace(signed, consents=consents), True

    # --- the whole of it ---

    def compare(self) -> None:
        """Every balance and allowance; the sums are what was issued; each id settled at most once."""
        accounts = [*self.people, self.market.collector.address]
        for asset in self.assets:
            held = self.evm.read_all([asset.read("balanceOf", who) for who in accounts])
            allowed = self.evm.read_all([asset.read("allowance", who, self.market.contract.address) for who in accounts])  # fmt: skip
            assert held == [self.books.balance[asset.address, who] for who in accounts]
            assert allowed == [self.books.allowance[asset.address, who] for who in accounts]
            issued = 500 * 5 if asset.address in self.securities else 20_000 * 5
            assert sum(held) == issued
            assert self.evm.read(asset.read("balanceOf", self.market.contract.address)) == 0
        assert all(times == 1 for times in self.books.settled.values())


@pytest.mark.parametrize(("seed", "batches"), HISTORIES)
def test_nothing_is_lost_and_nothing_settles_twice(trex: Trex, seed: int, batches: int) -> None:
    print(f"seed {seed}")
    trading: Any = Trading(trex, seed)
    for n in range(batches):
        try:
            trading.step()
            trading.compare()
        except BaseException:
            print(f"at batch {n}", trading.count)
            raise
    print(trading.count)
    assert trading.count["settled"] > batches
    assert trading.count["failed"] > batches
    assert trading.evm.read(trading.market.settlement.custodian_of(trading.market.stranger.address)) == ZERO_ADDRESS
