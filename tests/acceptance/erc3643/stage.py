"""The stage each case is played on, and the list of cases by number.

A case acts twice where both gates have something to say: our adapter refuses before anything is sent, and the contract refuses by itself."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from tests.contracts.evm import Contract
from tests.contracts.suites import Suite, wallet
from tests.standards.ground import IR, Ground, Person
from tokenx_chain.contracts.calls import Call
from tokenx_chain.policy.defaults import DEFAULT_RULES
from tokenx_chain.policy.reading import read_call
from tokenx_chain.policy.rules import Decision, Rule, decide
from tokenx_chain.standards.protocol import Act, TokenStandard


@dataclass
class Stage:
    """A token with Iran blocked and at most ten holders. ann holds 100 units, bob none; both are verified, cyrus is from Iran."""

    ground: Ground
    suite: Suite
    holders: Contract
    ann: Person
    bob: Person
    cyrus: Person
    stranger: str

    @property
    def gate(self) -> TokenStandard:
        return self.ground.standard

    @property
    def token(self) -> str:
        return self.suite.token.address

    @property
    def platform(self) -> str:
        return self.ground.platform

    def call(self, name: str, *args: object) -> Call:
        return self.suite.token.call(name, *args)

    def act(self, name: str, *args: object) -> None:
        """As agent and owner, past our gate."""
        self.suite.act(self.call(name, *args))

    async def both(self, asked: Awaitable[Act], code: str, call: Call, text: str, sender: str | None = None) -> None:
        """Our gate refuses with a code, the contract with its own words; neither has asked the other."""
        assert await self.ground.refused(asked) == code
        assert self.ground.evm.refusal(call, sender or self.platform) == text

    async def transfer(self, receiver: str, units: int, code: str, text: str) -> None:
        """ann's transfer is refused by both."""
        asked = self.gate.transfer(self.token, sender=self.ann.wallet, receiver=receiver, units=units)
        await self.both(asked, code, self.call("transfer", receiver, units), text, self.ann.wallet)

    def policy(self, key_ref: str, call: Call, *rules: Rule) -> Decision:
        """What the policy says to a call before it is signed: by the built-in rules where none are given."""
        request = read_call(call, kind="token.act", key_ref=key_ref, registry=self.ground.chain.registry)
        return decide(request, rules or DEFAULT_RULES, {})

    def state(self, person: Person) -> tuple[int, int, bool]:
        """(units, frozen units, wallet frozen)."""
        reads = [self.suite.token.read(name, person.wallet) for name in ("balanceOf", "getFrozenTokens", "isFrozen")]
        units, frozen, is_frozen = self.ground.evm.read_all(reads)
        return units, frozen, is_frozen

    def is_verified(self, person: Person) -> bool:
        return self.ground.evm.read(self.suite.registry.read("isVerified", person.wallet))


async def set_up(ground: Ground) -> Stage:
    block, holders = ground.evm.deploy("CountryBlock"), ground.evm.deploy("HolderCap")
    settings = (block.data("setCountries", [IR], True), holders.data("setCap", 10))
    suite = await ground.suite(block, holders, settings=settings)
    ann, bob, cyrus = ground.person("ann"), ground.person("bob"), ground.person("cyrus", country=IR)
    suite.mint(ann.wallet, 100)
    return Stage(ground, suite, holders, ann, bob, cyrus, ground.evm.fund(wallet("stranger")))


Play = Callable[[Stage], Awaitable[None]]
CASES: Final[dict[str, Play]] = {}
"""By number and name, as in the list of acceptance cases in docs/erc3643.md."""


def case(number: int, name: str) -> Callable[[Play], Play]:
    def add(play: Play) -> Play:
        CASES[f"{number:02d}-{name.replace(' ', '-')}"] = play
        return play

    return add
