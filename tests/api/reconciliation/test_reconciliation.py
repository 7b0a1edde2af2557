"""Planted differences of each kind are found on the second look, raised once a day, and never corrected."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from tests.api.builders import CHAIN_ID, SeededInvestor, SeededOffering, address
from tests.api.in_process import Api
from tests.chain.harness import Stack, chain_stack
from tests.support.servers import ServiceKeys, ValkeyServer
from tokenx_api.captable import service as captable
from tokenx_api.context import AppContext
from tokenx_api.reconciliation import service
from tokenx_common.errors import DependencyUnavailable
from tokenx_common.http import ServiceClient

pytestmark = pytest.mark.stack
BOOKS = ("api.ledger_accounts", "api.ledger_postings", "api.token_balances", "api.wallets", "api.settlements")


@dataclass
class Balances:
    """The chain service's balances, by wallet; every token has the same. elsewhere: units at addresses nobody asks about."""

    units: dict[str, int] = field(default_factory=dict[str, int])
    elsewhere: int = 0
    is_away: bool = False

    async def get(self, path: str, *, params: dict[str, Any]) -> dict[str, str]:
        if self.is_away:
            raise DependencyUnavailable("chain did not answer")
        if path == "/v1/supply":
            return {"amount": str(sum(self.units.values()) + self.elsewhere)}
        assert path == "/v1/balances"
        return {"amount": str(self.units.get(params["address"], 0))}


@dataclass
class Books:
    """An offering with two holders whose three books agree."""

    api: Api
    context: AppContext
    chain: Balances
    offering: SeededOffering
    ann: SeededInvestor
    bob: SeededInvestor
    seq: int = 0

    async def register(self, sender: str, receiver: str, units: int) -> None:
        """A final transfer as the event consumer takes it in."""
        self.seq += 1
        payload = {"token": self.offering.token, "from": sender, "to": receiver, "amount": str(units)}
        async with self.context.db.write() as conn:
            await captable.on_transfer_final(conn, CHAIN_ID, self.seq, payload)

    async def rounds(self, count: int = 2) -> list[tuple[str, str, int, int]]:
        """(kind, holder, expected, found) of what the last of so many rounds confirmed."""
        before, confirmed = [], []
        for _ in range(count):
            now = await service.look(self.context)
            confirmed = await service.raise_confirmed(self.context, before, now)
            before = now
        return [(drift.kind, drift.holder, drift.expected, drift.found) for drift in confirmed]

    async def letters(self) -> list[dict[str, Any]]:
        rows = await self.api.seed.rows.fetch(
            "SELECT kind, ref_id, payload, error, status FROM chain.dead_letters ORDER BY 1, 2"
        )
        return [dict(row) for row in rows]

    async def contents(self) -> list[list[str]]:
        """Every row of every book, as text."""
        return [
            [str(row) for row in await self.api.seed.rows.fetch(f"SELECT * FROM {book} ORDER BY 1, 2")]
            for book in BOOKS
        ]


@pytest.fixture
async def books(api: Api) -> Books:
    chain = Balances()
    context = replace(api.context, chain=cast(ServiceClient, chain))
    offering, ann, bob = await api.seed.offering(), await api.seed.investor(), await api.seed.investor()
    books = Books(api, context, chain, offering, ann, bob)
    for who, units in ((ann, 60), (bob, 20)):
        await api.seed.units(investor_id=who.investor_id, offering_id=offering.offering_id, units=units)
        await books.register(captable.NOBODY, who.address, units)
        chain.units[who.address] = units
    return books


async def test_books_that_agree_raise_nothing(books: Books) -> None:
    assert await books.rounds(3) == []
    assert await books.letters() == []


async def test_a_balance_the_register_missed(books: Books) -> None:
    books.chain.units[books.ann.address] = 65
    assert await books.rounds() == [("register_chain", books.ann.investor_id, 60, 65)]


async def test_units_that_left_the_wallet_unseen(books: Books) -> None:
    books.chain.units[books.bob.address] = 0
    assert await books.rounds() == [("register_chain", books.bob.investor_id, 20, 0)]


async def test_a_ledger_that_tells_more_than_the_register(books: Books) -> None:
    await books.api.seed.units(investor_id=books.bob.investor_id, offering_id=books.offering.offering_id, units=1)
    assert await books.rounds() == [("ledger_register", books.bob.investor_id, 21, 20)]


async def test_a_register_row_that_was_lost(books: Books) -> None:
    await books.api.seed.rows.execute("DELETE FROM api.token_balances WHERE address = $1", books.bob.address)
    assert await books.rounds() == [
        ("ledger_register", books.bob.investor_id, 20, 0),
        ("register_chain", books.bob.investor_id, 0, 20),
    ]


async def test_units_in_a_wallet_that_is_nobodys(books: Books) -> None:
    stranger = address(0xBAD)
    await books.register(captable.NOBODY, stranger, 5)
    books.chain.units[stranger] = 5
    assert await books.rounds() == [("unknown_holder", stranger, 0, 5)]


async def test_units_at_an_address_no_book_has_heard_of(books: Books) -> None:
    """Found by the token's supply alone; the alert says so, and nothing is corrected."""
    books.chain.elsewhere, before = 7, await books.contents()
    assert await books.rounds() == [("supply", "supply", 80, 87)]
    (letter,) = await books.letters()
    assert letter["error"] == "the wallets the register knows hold 80, the token's supply is 87"
    assert await books.contents() == before


async def test_a_drift_is_a_dead_letter_once_and_nothing_is_corrected(books: Books) -> None:
    books.chain.units[books.ann.address] = 65
    before = await books.contents()
    assert await books.rounds(1) == []
    assert await books.letters() == [], "once may be a moment"
    for _ in range(3):
        assert len(await books.rounds()) == 1
    (letter,) = await books.letters()
    assert (letter["kind"], letter["status"]) == ("drift", "open")
    assert letter["error"] == "the register has 60, the chain 65"
    assert await books.contents() == before


async def test_a_drift_of_a_moment_is_not_raised(books: Books) -> None:
    books.chain.units[books.ann.address] = 65
    first = await service.look(books.context)
    await books.register(captable.NOBODY, books.ann.address, 5)
    await books.api.seed.units(investor_id=books.ann.investor_id, offering_id=books.offering.offering_id, units=5)
    assert await service.raise_confirmed(books.context, first, await service.look(books.context)) == []


async def test_a_chain_that_does_not_answer_is_neither_agreement_nor_drift(books: Books) -> None:
    books.chain.is_away = True
    with pytest.raises(DependencyUnavailable):
        await books.rounds()
    assert await books.letters() == []


async def test_staff_see_it_two_people_discard_it_and_nobody_requeues_it(books: Books) -> None:
    books.chain.units[books.ann.address] = 65
    await books.rounds()
    first, second = [await books.api.seed.user("tokenization_agent") for _ in range(2)]
    why = {"reason": "the mint was entered by hand"}
    async with books.api.as_actor(first) as client:
        (row,) = (await client.get("/v1/chain/dead-letters?status=open")).json()["data"]
        assert (row["kind"], row["payload"]["drift"], row["payload"]["found"]) == ("drift", "register_chain", "65")
        path = f"/v1/chain/dead-letters/{row['dead_letter_id']}"
        assert (await client.post(f"{path}:requeue", json=why)).status_code == 409
        assert (await client.post(f"{path}:discard", json=why)).status_code == 202
    async with books.api.as_actor(second) as client:
        assert (await client.post(f"{path}:discard", json=why)).json()["status"] == "discarded"


@pytest.fixture(scope="module")
def stack(service_keys: ServiceKeys, valkey: ValkeyServer) -> Iterator[Stack]:
    with chain_stack(service_keys, valkey) as running:
        yield running


async def test_against_a_real_chain_service(books: Books, stack: Stack) -> None:
    """The same with real balances: minted past the register, on a real node."""
    await stack.run("platform.deploy")
    token = (await stack.run("offering.deploy", offering_id="off_real", name="Real", symbol="REAL"))["token"]
    rows, ann, bob = books.api.seed.rows, books.ann, books.bob
    await rows.execute(
        "UPDATE api.offerings SET token_address = $1 WHERE offering_id = $2", token, books.offering.offering_id
    )
    await rows.execute("UPDATE api.token_balances SET token = $1 WHERE token = $2", token, books.offering.token)
    for who, units in ((ann, 60), (bob, 20)):
        wallet = (await stack.run("investor.register", investor_id=who.investor_id, key_ref=f"investor:{who.investor_id}", country="US"))["address"]  # fmt: skip
        await rows.execute("UPDATE api.wallets SET address = $1 WHERE address = $2", wallet, who.address)
        await rows.execute("UPDATE api.token_balances SET address = $1 WHERE address = $2", wallet, who.address)
        await stack.run("token.mint", token=token, to=wallet, units=str(units))
    real = replace(books, context=replace(books.context, chain=stack.client))
    assert await real.rounds() == []
    await stack.run("token.mint", token=token, to=await stack.address(f"investor:{bob.investor_id}"), units="3")
    assert await real.rounds() == [("register_chain", bob.investor_id, 20, 23)]
    stranger = (await stack.run("investor.register", investor_id="inv_unheard", key_ref="investor:inv_unheard", country="US"))["address"]  # fmt: skip
    await stack.run("token.mint", token=token, to=stranger, units="5")
    assert ("supply", "supply", 83, 88) in await real.rounds()
