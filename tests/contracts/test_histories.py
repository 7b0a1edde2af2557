"""Random histories of one token under all rules at once, compared with the model after every step."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.contracts.evm import Contract, code_text
from tests.contracts.model import DAY, EVERYBODY, UNLIMITED, Model, Rules
from tests.contracts.suites import Suite, Trex, wallet
from tokenx_chain.contracts.identity import key_of

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

MODULES: Final = (
    "HolderCap", "CountryHolderCap", "MaxBalance", "LockUp", "VolumeWindow", "ExchangeLimit", "CountryAllow", "CountryBlock",
)  # fmt: skip
BOOKS: Final = MODULES[:4]
COUNTRIES: Final = (840, 276, 756, 643)
HISTORIES: Final = ((20261122, 1_500, False), (7, 1_000, True))
"""Seed, number of steps, and whether the holder rules share one book."""


class History:
    """A token on chain and its model, moved together."""

    def __init__(self, trex: Trex, seed: int, *, one_book: bool) -> None:
        self.rng, self.trex, self.evm = random.Random(seed), trex, trex.evm
        self.one_book = one_book
        self.modules = {name: self.evm.deploy(name) for name in MODULES}
        if one_book:
            self.modules |= dict.fromkeys(BOOKS, self.evm.deploy("HolderRules"))
        self.exchange = wallet("exchange")
        rules = Rules(5, {840: 3, 276: 2}, 6_000, 1, 3 * DAY, 5_000, self.exchange, (800, 2_500, 2_000, 6_000), {840, 276, 756, 643}, {643})  # fmt: skip
        self.suite: Suite = trex.suite(*self.modules.values(), settings=self._settings(rules))
        self.model = Model(rules)
        self.wallets: list[str] = []
        self.identities: list[str] = []
        self.count: Counter[str] = Counter()
        self._tick(self.evm.now() // 60 * 60 + 120)
        for n in range(7):
            self._new_investor(n)
        self._register(self.exchange, self._identity(self.exchange), 756)

    def _settings(self, rules: Rules) -> list[bytes]:
        m = self.modules
        return [
            m["HolderCap"].data("setCap", rules.holder_cap),
            m["CountryHolderCap"].data("setCountryCaps", list(rules.country_caps), list(rules.country_caps.values())),
            m["MaxBalance"].data("setMaxBalance", rules.max_balance),
            m["LockUp"].data("setLockUp", rules.lock_days),
            m["VolumeWindow"].data("setVolumeLimit", rules.window_s, rules.window_units),
            m["ExchangeLimit"].data("setExchange", self.exchange, *rules.exchange_limits),
            m["CountryAllow"].data("setCountries", sorted(rules.allowed), True),
            m["CountryBlock"].data("setCountries", sorted(rules.blocked), True),
        ]

    def _identity(self, of: str) -> str:
        found = self.trex.identity(of)
        self.identities.append(found)
        return found

    def _new_investor(self, n: int) -> None:
        first = wallet(f"{self.suite.token.address} investor {n}")
        identity = self._identity(first)
        country = self._some_country()
        self._register(first, identity, country)
        if n % 2:
            self._register(wallet(f"{first} second"), identity, country)

    def _register(self, address: str, identity: str, country: int) -> None:
        self.suite.register(address, identity, country)
        self.model.registry[address] = (identity, country)
        if address not in self.wallets:
            self.wallets.append(address)

    # --- one step ---

    def step(self) -> None:
        """Time goes on, something happens, chain and model agree."""
        self._tick(self.model.now + 60 * self.rng.choice((1, 7, 60, 333, 777)))
        name = self.rng.choices(
            ("transfer", "mint", "force", "burn", "recover", "freeze", "freeze_units", "reassign", "move_country", "delete", "restore", "sync", "settings"),
            (60, 10, 8, 5, 3, 3, 4, 2, 2, 2, 5, 6, 2),
        )[0]  # fmt: skip
        act: Callable[[], Any] = getattr(self, name)
        done = act()
        self.count[f"{name} {'done' if done is not False else 'refused'}"] += 1

    def transfer(self) -> bool:
        sender = self._holding() if self.rng.random() < 0.9 else self._somebody()
        return self._voluntary(sender or self._somebody(), self._somebody())

    def mint(self) -> bool:
        return self._voluntary(None, self._somebody())

    def _voluntary(self, sender: str | None, to: str) -> bool:
        """Each rule says what the model says, and the token does as all of them together say."""
        units = self._some_units(sender)
        asked = [m.read("reason", sender or EVERYBODY, to, units, self.suite.compliance.address) for m in self.modules.values()]  # fmt: skip
        said = dict(zip(self.modules, map(code_text, self.evm.read_all(asked)), strict=True))
        assert said == self._expected(sender, to, units), (sender, to, units)
        self.count.update(code for code in said.values() if code)
        call = self.suite.token.call("mint", to, units) if sender is None else self.suite.token.call("transfer", to, units)  # fmt: skip
        if not self.model.passes(sender, to, units):
            self.evm.refusal(call, sender or self.suite.platform)
            return False
        self._send(call, sender)
        if sender is None:
            self.model.minted(to, units)
        else:
            self.model.moved(sender, to, units)
        return True

    def _expected(self, sender: str | None, to: str, units: int) -> dict[str, str]:
        """What each module should say; rules over one book say the first of what they have to say."""
        reasons = self.model.reasons(sender, to, units)
        if self.one_book:
            reasons |= dict.fromkeys(BOOKS, next((reasons[name] for name in BOOKS if reasons[name]), ""))
        return reasons

    def force(self) -> bool:
        sender, to = self._holding(), self._somebody()
        if sender is None or to not in self.model.registry:
            return False
        units = self.rng.randint(1, self.model.balance[sender])
        self._send(self.suite.token.call("forcedTransfer", sender, to, units))
        self.model.moved(sender, to, units, forced=True)
        return True

    def burn(self) -> bool:
        holder = self._holding()
        if holder is None:
            return False
        units = self.rng.choice((self.model.balance[holder], self.rng.randint(1, self.model.balance[holder])))
        self._send(self.suite.token.call("burn", holder, units))
        self.model.burned(holder, units)
        return True

    def recover(self) -> bool:
        """To a new wallet of the same identity, as a lost key is replaced."""
        lost = self._holding()
        if lost is None or lost not in self.model.registry or lost == self.exchange:
            return False
        identity = self.model.registry[lost][0]
        new = wallet(f"{lost} recovered {self.count['recover done']}")
        self.evm.fund(new)
        self._send(self.evm.at("Identity", identity).call("addKey", key_of(new), 1, 1))
        self._send(self.suite.token.call("recoveryAddress", lost, new, identity))
        self.model.recovered(lost, new, identity)
        self.wallets.append(new)
        return True

    def freeze(self) -> None:
        """Thaws as often as it freezes, so that most wallets can move."""
        thaw = sorted(self.model.frozen) if self.rng.random() < 0.6 else []
        who = self.rng.choice(thaw) if thaw else self._somebody()
        frozen = who not in self.model.frozen
        self._send(self.suite.token.call("setAddressFrozen", who, frozen))
        (self.model.frozen.add if frozen else self.model.frozen.discard)(who)

    def freeze_units(self) -> bool:
        holder = self._holding()
        if holder is None:
            return False
        room = self.model.balance[holder] - self.model.frozen_units[holder]
        if room > 0 and not self.model.frozen_units[holder]:
            units = self.rng.randint(1, room)
            self._send(self.suite.token.call("freezePartialTokens", holder, units))
            self.model.frozen_units[holder] += units
        else:
            units = self.model.frozen_units[holder]
            self._send(self.suite.token.call("unfreezePartialTokens", holder, units))
            self.model.frozen_units[holder] = 0
        return True

    def reassign(self) -> bool:
        """A wallet gets another identity; sometimes nobody tells the rules."""
        who = self._somebody()
        if who not in self.model.registry:
            return False
        identity = self.rng.choice(self.identities)
        self._send(self.suite.registry.call("updateIdentity", who, identity))
        self.model.registry[who] = (identity, self.model.registry[who][1])
        if self.rng.random() < 0.7:
            self._sync(who)
        return True

    def move_country(self) -> bool:
        who = self._somebody()
        if who not in self.model.registry:
            return False
        country = self._some_country()
        if who == self.exchange:
            return False
        self._send(self.suite.registry.call("updateCountry", who, country))
        self.model.registry[who] = (self.model.registry[who][0], country)
        return True

    def delete(self) -> bool:
        """Out of the registry, whatever the wallet holds."""
        who = self._somebody()
        if who not in self.model.registry or who == self.exchange:
            return False
        self._send(self.suite.registry.call("deleteIdentity", who))
        del self.model.registry[who]
        return True

    def restore(self) -> bool:
        gone = [w for w in self.wallets if w not in self.model.registry]
        if not gone:
            return False
        who = self.rng.choice(gone)
        self._register(who, self.rng.choice(self.identities), self._some_country())
        if self.rng.random() < 0.7:
            self._sync(who)
        return True

    def sync(self) -> None:
        self._sync(*self.rng.sample(self.wallets, 3))

    def _sync(self, *wallets: str) -> None:
        for module in {self.modules[name].address: self.modules[name] for name in BOOKS}.values():
            self.suite.sync(module, *wallets)
        for address in wallets:
            self.model.synced(address)

    def settings(self) -> None:
        rules, rng = self.model.rules, self.rng
        rules.holder_cap = rng.randint(4, 8)
        rules.country_caps = {840: rng.randint(1, 4), 276: rng.randint(1, 4)}
        rules.max_balance = rng.randint(4_000, 20_000)
        rules.lock_days = rng.choice((0, 0, 1, 1, 2, 3, 90))
        rules.window_s, rules.window_units = rng.choice((1, 3, 6)) * DAY, rng.randint(1_500, 6_000)
        rules.exchange_limits = rng.choice(((800, 2_500, 2_000, 6_000), (UNLIMITED, UNLIMITED, 1_500, UNLIMITED), (0, UNLIMITED, UNLIMITED, UNLIMITED)))  # fmt: skip
        for module, data in zip(self.modules.values(), self._settings(rules), strict=True):
            self._send(self.suite.compliance.call("callModuleFunction", data, module.address))

    # --- choices and means ---

    def _somebody(self) -> str:
        registered = [w for w in self.wallets[-22:] if w in self.model.registry]
        return self.exchange if self.rng.random() < 0.08 else self.rng.choice(registered if self.rng.random() < 0.9 else self.wallets)  # fmt: skip

    def _holding(self) -> str | None:
        there = [w for w in self.wallets if self.model.balance[w] > 0]
        return self.rng.choice(there) if there else None

    def _some_country(self) -> int:
        return self.rng.choices(COUNTRIES, (10, 6, 8, 1))[0]

    def _some_units(self, sender: str | None) -> int:
        held = self.model.balance[sender] if sender else 0
        return self.rng.choice((held, held // 2, held // 7, 1)) or self.rng.randint(1, 1_500)

    def _tick(self, at: int) -> None:
        """Whole minutes, so that what is asked now holds for the block a second later."""
        self.evm.travel(at)
        self.model.now = at

    def _send(self, call: Any, sender: str | None = None) -> None:
        self.evm.send(call, sender or self.suite.platform)

    # --- the whole of it ---

    def compare(self) -> None:
        """Every counter of every rule against the model, and holders against real balances."""
        token, m, model = self.suite.token, self.modules, self.model
        balances = dict(zip(self.wallets, self.evm.read_all([token.read("balanceOf", w) for w in self.wallets]), strict=True))  # fmt: skip
        assert balances == {w: model.balance[w] for w in self.wallets}
        for name in BOOKS:
            assert self._ask(m[name], "holderCount", []) == [len(model.holders())]
            assert self._ask(m[name], "unitsOf", self.identities) == [model.units_of(i) for i in self.identities]
        assert self._ask(m["CountryHolderCap"], "countryHolderCount", [*COUNTRIES, 0]) == [model.holders_in(c) for c in (*COUNTRIES, 0)]  # fmt: skip
        assert self._ask(m["LockUp"], "freeUnitsOf", self.identities) == [model.free_units_of(i) for i in self.identities]  # fmt: skip
        assert self._ask(m["VolumeWindow"], "volumeOf", self.identities) == [model.volume_of(i) for i in self.identities]  # fmt: skip
        usage = [(self.exchange, i) for i in (*self.identities, EVERYBODY)]
        address = self.suite.compliance.address
        assert self.evm.read(token.read("totalSupply")) == sum(balances.values())
        for exchange, who in usage:
            answer = self.evm.rpc("eth_call", {"to": m["ExchangeLimit"].address, "data": "0x" + m["ExchangeLimit"].data("usageOf", address, exchange, who).hex()}, "latest")  # fmt: skip
            assert (int(answer[2:66], 16), int(answer[66:], 16)) == model.usage_of(who)

    def compare_with_chain(self) -> None:
        """After syncing everybody: holders are exactly the identities that hold something, read from the chain alone."""
        self._sync(*self.wallets)
        registry = self.suite.registry
        identities = self.evm.read_all([registry.read("identity", w) for w in self.wallets])
        balances = self.evm.read_all([self.suite.token.read("balanceOf", w) for w in self.wallets])
        real = {i for i, units in zip(identities, balances, strict=True) if units and i != EVERYBODY}
        orphans = {self.model.booked_under[w] for w, i, units in zip(self.wallets, identities, balances, strict=True) if units and i == EVERYBODY}  # fmt: skip
        assert self._ask(self.modules["HolderCap"], "holderCount", []) == [len(real | orphans)]
        self.compare()

    def _ask(self, module: Contract, name: str, keys: list[Any]) -> list[Any]:
        address = self.suite.compliance.address
        reads = [module.read(name, address, key) for key in keys] if keys else [module.read(name, address)]
        return self.evm.read_all(reads)


@pytest.mark.parametrize(("seed", "steps", "one_book"), HISTORIES)
def test_rules_agree_with_the_model_after_every_step(trex: Trex, seed: int, steps: int, one_book: bool) -> None:
    """Transfers, mints, burns, forced transfers, recoveries, freezes, registry changes, settings, time; on one token."""
    print(f"seed {seed}")
    history = History(trex, seed, one_book=one_book)
    for n in range(steps):
        try:
            history.step()
            if n % 25 == 0:
                history.compare()
        except BaseException:
            print(f"at step {n}", history.count)
            raise
    history.compare_with_chain()
    print(history.count)
    met = {code for code in history.count if code.isupper()}
    assert met >= {"HOLDER_CAP", "COUNTRY_HOLDER_CAP", "LOCKED_UP", "VOLUME_WINDOW", "BOOK_STALE", "EXCHANGE_DAY_LIMIT", "COUNTRY_BLOCKED"}  # fmt: skip
    assert history.count["transfer done"] > steps // 10
