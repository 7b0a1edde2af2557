"""The journey's steps. Each can be run again: what exists already is found and kept."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from tokenx_cli.journey.cast import (
    DEMO_INVESTOR,
    DEMO_ISSUER_EMAIL,
    LISTED_ADDRESS,
    MAIN,
    OFFERINGS,
    THIN,
    TRADERS,
    UNVERIFIED,
    WASH_PAIR,
    InvestorRole,
    Passwords,
    email_of,
)  # fmt: skip
from tokenx_cli.journey.chain_visitor import ChainVisitor, Refused
from tokenx_cli.people import ApiProblem, Person, until
from tokenx_cli.replay.messages import OrderMessage, anchor_ticks
from tokenx_cli.replay.player import Player, Tally
from tokenx_common.ids import new_id

Note = Callable[[str], None]


@dataclass
class Journey:
    """One walk through the platform. staff: password by demo e-mail. note: called with a line of progress."""

    api_url: str
    rpc_url: str
    passwords: Passwords
    note: Note = lambda _line: None
    people: dict[str, Person] = field(default_factory=dict[str, Person])
    investors: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    offerings: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    _exit: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def close(self) -> None:
        await self._exit.aclose()

    # --- people ---

    async def person(self, email: str) -> Person:
        """A signed-in user."""
        if email not in self.people:
            person = Person(self.api_url)
            self._exit.push_async_callback(person.close)
            self.people[email] = await person.sign_in(email, self.passwords.of(email))
        return self.people[email]

    async def staff(self, persona: str) -> Person:
        return await self.person(f"{persona}@demo.tokenx.local")

    async def trader(self, role: InvestorRole) -> Person:
        return await self.person(email_of(role))

    # --- 1. tokenize ---

    async def tokenize(self) -> dict[str, Any]:
        """An issuer creates offerings; the chain service deploys a contract suite for each. Returns the main offering."""
        issuer, compliance = await self.person(DEMO_ISSUER_EMAIL), await self.staff("compliance")
        agent = await self.staff("tokenization-agent")
        await self._issuer_profile(issuer, compliance)
        await agent.post("/v1/chain/platform:deploy")
        await until("the platform's contracts deployed", lambda: self._platform_deployed(agent), timeout_s=120)
        known = {offering["symbol"]: offering for offering in await issuer.everything("/v1/offerings")}
        for terms in OFFERINGS:
            offering = known.get(terms["symbol"]) or await issuer.post("/v1/offerings", terms)
            await self._advance(offering, compliance, agent, issuer)
        for terms in OFFERINGS:
            self.offerings[terms["symbol"]] = await self._offering_with(terms["symbol"], issuer)
        return self.offerings[MAIN]

    async def _platform_deployed(self, agent: Person) -> bool:
        return (await agent.get("/v1/chain/status"))["platform"] == "deployed"

    async def _issuer_profile(self, issuer: Person, compliance: Person) -> None:
        try:
            profile = await issuer.get("/v1/issuers/me")
        except ApiProblem as problem:
            if problem.status != 404:
                raise
            profile = await issuer.post("/v1/issuers", {"legal_name": "Acme Holdings Inc.", "country": "US"})
        if profile["kyb_status"] == "pending":
            await compliance.post(
                f"/v1/issuers/{profile['issuer_id']}:approve-kyb", {"reason": "registry extract checked"}
            )

    async def _advance(self, offering: dict[str, Any], compliance: Person, agent: Person, issuer: Person) -> None:
        path = f"/v1/offerings/{offering['offering_id']}"
        if offering["status"] == "draft":
            await compliance.post(f"{path}:approve")
        if offering["status"] in ("draft", "approved"):
            await agent.post(f"{path}:deploy")
        if offering["status"] != "open":
            self.note(f"{offering['symbol']}: waiting for the contract suite on chain")
            await until(
                f"{offering['symbol']} deployed", lambda: self._has_status(issuer, path, "deployed"), timeout_s=120
            )
            await issuer.post(f"{path}:open")

    async def _has_status(self, person: Person, path: str, status: str) -> bool:
        return (await person.get(path))["status"] == status

    async def _offering_with(self, symbol: str, person: Person) -> dict[str, Any]:
        return next(offering for offering in await person.everything("/v1/offerings") if offering["symbol"] == symbol)

    # --- 2. onboard ---

    async def onboard(self) -> dict[str, dict[str, Any]]:
        """Investors register, pass KYC, get an on-chain identity and enter the registry; one stays unverified on purpose."""
        compliance = await self.staff("compliance")
        verified = (*TRADERS, *WASH_PAIR, DEMO_INVESTOR)
        for role in (*verified, UNVERIFIED):
            self.investors[role.key] = await self._investor_profile(role)
        waiting = [role for role in verified if self.investors[role.key]["kyc_status"] == "pending"]
        await asyncio.gather(*(self._approve(compliance, role) for role in waiting))
        self.note(f"{len(waiting)} investors approved; waiting for their on-chain identities")
        for role in verified:
            await until(f"{role.name} registered on chain", lambda role=role: self._registered(role), timeout_s=120)
        return self.investors

    async def _investor_profile(self, role: InvestorRole) -> dict[str, Any]:
        email = email_of(role)
        if role is not DEMO_INVESTOR:
            await self._register(role.name, email)
        person = await self.trader(role)
        try:
            return await person.get("/v1/investors/me")
        except ApiProblem as problem:
            if problem.status != 404:
                raise
        return await person.post("/v1/investors", {"legal_name": role.name, "country": role.country})

    async def _register(self, name: str, email: str) -> None:
        stranger = Person(self.api_url)
        try:
            await stranger.post(
                "/v1/auth/register",
                {"email": email, "password": self.passwords.of(email), "display_name": name, "persona": "investor"},
            )
        except ApiProblem as problem:
            if problem.status != 409:
                raise
        finally:
            await stranger.close()

    async def _approve(self, compliance: Person, role: InvestorRole) -> None:
        await compliance.post(
            f"/v1/investors/{self.investors[role.key]['investor_id']}:approve-kyc",
            {"reason": "documents and screening passed"},
        )

    async def _registered(self, role: InvestorRole) -> bool:
        self.investors[role.key] = await (await self.trader(role)).get("/v1/investors/me")
        return any(wallet["status"] == "registered" for wallet in self.investors[role.key]["wallets"])

    # --- 3. primary ---

    async def primary(self) -> None:
        """Investors deposit sandbox money and subscribe; the issuer accepts; tokens are minted; the cap table shows them once final."""
        roles = (*TRADERS, *WASH_PAIR, DEMO_INVESTOR)
        await asyncio.gather(*(self._deposit(role) for role in roles))
        await asyncio.gather(*(self._subscribe(role) for role in roles))
        issuer = await self.person(DEMO_ISSUER_EMAIL)
        funded = [row for row in await issuer.everything("/v1/subscriptions") if row["status"] == "funded"]
        await asyncio.gather(*(issuer.post(f"/v1/subscriptions/{row['subscription_id']}:accept") for row in funded))
        self.note(f"{len(funded)} subscriptions accepted; waiting until the tokens are minted and final")
        await until("all subscriptions issued", self._all_issued, timeout_s=120)

    async def _deposit(self, role: InvestorRole) -> None:
        person = await self.trader(role)
        if (await person.everything("/v1/payments")) or role.cash == "0.00":
            return
        payment = await person.post_once(
            "/v1/payments", {"direction": "deposit", "amount": role.cash, "currency": "USD"}
        )
        await until(f"deposit of {role.name}", lambda: self._settled(person, payment["payment_id"]), timeout_s=60)

    async def _settled(self, person: Person, payment_id: str) -> bool:
        return any(
            row["payment_id"] == payment_id and row["status"] == "settled"
            for row in await person.everything("/v1/payments")
        )

    async def _subscribe(self, role: InvestorRole) -> None:
        person = await self.trader(role)
        if await person.everything("/v1/subscriptions"):
            return
        for symbol, units in role.units.items():
            await person.post_once(
                "/v1/subscriptions", {"offering_id": self.offerings[symbol]["offering_id"], "units": str(units)}
            )

    async def _all_issued(self) -> bool:
        issuer = await self.person(DEMO_ISSUER_EMAIL)
        return all(
            row["status"] in ("issued", "rejected", "cancelled") for row in await issuer.everything("/v1/subscriptions")
        )

    async def cap_table(self, symbol: str = MAIN) -> dict[str, Any]:
        """The cap table as the transfer agent sees it."""
        return await (await self.staff("transfer-agent")).get(
            f"/v1/offerings/{self.offerings[symbol]['offering_id']}/cap-table"
        )

    # --- 4. trade ---

    async def open_market(self) -> None:
        """The ATS operator starts continuous trading."""
        operator = await self.staff("ats-operator")
        for symbol in (MAIN, THIN):
            offering = self.offerings[symbol] = await self._offering_with(symbol, operator)
            if offering["market_state"] != "continuous":
                await operator.post(f"/v1/offerings/{offering['offering_id']}:start-trading")

    async def refuse_unverified(self) -> ApiProblem:
        """The unverified investor's order: refused before the book, with a reason code. Returns the refusal."""
        try:
            await (await self.trader(UNVERIFIED)).post("/v1/orders", self.order(MAIN, "buy", "1", "100.00"))
        except ApiProblem as problem:
            return problem
        raise AssertionError("the unverified investor's order was accepted")

    def order(self, symbol: str, side: str, quantity: str, price: str, **other: Any) -> dict[str, Any]:
        """A limit order's request body with a fresh client_order_id."""
        return {"client_order_id": new_id("cor"), "offering_id": self.offerings[symbol]["offering_id"], "side": side, "type": "limit",
                "time_in_force": "gtc", "quantity": quantity, "limit_price": price, **other}  # fmt: skip

    async def replay(self, messages: Sequence[OrderMessage], *, progress: Callable[[], None] = lambda: None) -> Tally:
        """Recorded order flow through POST /v1/orders, as the traders."""
        traders = [await self.trader(role) for role in TRADERS]
        offering = await self._offering_with(MAIN, traders[0])
        reference = offering["last_price_amount"] or offering["unit_price_amount"]
        player = Player(
            traders, offering, anchor=anchor_ticks(messages), reference_price=reference, run=new_id("cor")[-8:]
        )
        return await player.play(messages, progress=progress)

    async def matched(self) -> int:
        """Wait until the matcher has answered every order; returns the number of trades of the main offering today."""
        await until("every order answered by the book", self._nothing_pending, timeout_s=60)
        return next(int(row["trades_24h"]) for row in await self.markets() if row["symbol"] == MAIN)

    async def _nothing_pending(self) -> bool:
        return all(int(row["lag"]) == 0 for row in await self.markets())

    async def markets(self) -> list[dict[str, Any]]:
        """The ATS operator's monitor."""
        return (await (await self.staff("ats-operator")).get("/v1/ats/markets"))["data"]

    # --- 5. settle ---

    async def settle(self) -> dict[str, int]:
        """Wait until every fill is settled delivery-versus-payment and final; returns settlements by status."""
        await until("all fills settled on chain", self._nothing_in_flight, timeout_s=240, every_s=0.3)
        counts: dict[str, int] = {}
        for row in await self._settlements():
            counts[row["status"]] = counts.get(row["status"], 0) + 1
        return counts

    async def _settlements(self) -> list[dict[str, Any]]:
        return await (await self.staff("ats-operator")).everything("/v1/settlements")

    async def _nothing_in_flight(self) -> bool:
        operator = await self.staff("ats-operator")
        pages = [await operator.get("/v1/settlements", status=status, limit=1) for status in ("pending", "instructed")]
        return not any(page["data"] for page in pages)

    async def register_agrees(self, symbol: str = MAIN) -> dict[str, Any]:
        """Wait until ledger, register and chain say the same for every holder; returns the cap table."""

        async def agreed() -> dict[str, Any] | None:
            table = await self.cap_table(symbol)
            return table if table["agrees"] else None

        return await until(f"register, ledger and chain of {symbol} agree", agreed, timeout_s=60)

    async def refused_on_chain(self) -> str:
        """A holder transfers tokens directly on chain to an address that is not in the identity registry; returns the contract's reason."""
        holder = self._wallet(TRADERS[0])
        stranger = "0x" + "5e" * 20
        visitor = ChainVisitor(self.rpc_url)
        try:
            await visitor.would_transfer(
                token=self.offerings[MAIN]["token_address"], sender=holder, to=stranger, amount=1
            )
        except Refused as refusal:
            tx_hash = await visitor.transfer(
                token=self.offerings[MAIN]["token_address"], sender=holder, to=stranger, amount=1
            )
            status = await until("the stranger's transaction mined", lambda: self._mined(visitor, tx_hash))
            if status != "reverted":
                raise AssertionError("the contract executed a transfer to an unverified address") from refusal
            return str(refusal)
        finally:
            await visitor.close()
        raise AssertionError("the contract would transfer to an unverified address")

    async def _mined(self, visitor: ChainVisitor, tx_hash: str) -> str | None:
        status = await visitor.status(tx_hash)
        return None if status is None else ("executed" if status == 1 else "reverted")

    def _wallet(self, role: InvestorRole) -> str:
        return str(self.investors[role.key]["wallets"][0]["address"])

    # --- 6. screen ---

    async def plant_listed_transfer(self) -> str:
        """A listed (synthetic) address sends stablecoins to an investor's wallet: nobody can refuse it, KYT must see it. Returns the address."""
        agent = await self.staff("tokenization-agent")
        contracts = {row["name"]: row["address"] for row in (await agent.get("/v1/chain/status"))["contracts"]}
        visitor = ChainVisitor(self.rpc_url)
        try:
            await visitor.transfer(
                token=contracts["StableCoin"], sender=self._wallet(TRADERS[1]), to=LISTED_ADDRESS, amount=5_000_000
            )
            await visitor.transfer(
                token=contracts["StableCoin"], sender=LISTED_ADDRESS, to=self._wallet(TRADERS[1]), amount=5_000_000
            )
        finally:
            await visitor.close()
        return LISTED_ADDRESS

    async def plant_wash_trades(self, rounds: int = 4) -> None:
        """Two linked investors trade the same units back and forth at one price."""
        compliance = await self.staff("compliance")
        walt, wanda = (self.investors[role.key] for role in WASH_PAIR)
        link = {
            "investor_a": walt["investor_id"],
            "investor_b": wanda["investor_id"],
            "confidence_pct": 95,
            "basis": "same household and bank account",
        }
        await compliance.post("/v1/compliance/owner-links", link)
        people = [await self.trader(role) for role in WASH_PAIR]
        for turn in range(rounds):
            seller, buyer = people[turn % 2], people[(turn + 1) % 2]
            await seller.post("/v1/orders", self.order(THIN, "sell", "10", "50.00"), headers={"Prefer": "wait=5"})
            await buyer.post("/v1/orders", self.order(THIN, "buy", "10", "50.00"), headers={"Prefer": "wait=5"})

    async def alerts(self, kind: str) -> list[dict[str, Any]]:
        """Alerts as the compliance officer sees them. kind: 'kyt' or 'surveillance'. Waits for the first one."""
        compliance = await self.staff("compliance")
        return await until(f"a {kind} alert", lambda: compliance.everything(f"/v1/{kind}/alerts"), timeout_s=60)

    async def every_transfer_scored(self) -> int:
        """Wait until KYT has scored every final transfer; returns how many."""
        compliance = await self.staff("compliance")

        async def scored() -> int:
            status = await compliance.get("/v1/chain/status")
            return int(status["scored_transfers"]) if status["scored_transfers"] == status["final_transfers"] else 0

        return await until("every transfer scored", scored, timeout_s=60)

    # --- 7. redeem ---

    async def redeem(
        self, *, in_the_middle: Callable[[], Awaitable[None]] | None = None, units: str = "50"
    ) -> dict[str, Any]:
        """One redemption as a workflow: request, approval, burn, payout, statement. in_the_middle runs after the approval, to disturb it."""
        person, agent = await self.trader(TRADERS[2]), await self.staff("transfer-agent")
        redemption = await person.post_once(
            "/v1/redemptions", {"offering_id": self.offerings[MAIN]["offering_id"], "units": units}
        )
        path = f"/v1/redemptions/{redemption['redemption_id']}"
        await until(
            "the workflow asks for approval", lambda: self._has_status(person, path, "awaiting_approval"), timeout_s=60
        )
        await agent.post(f"{path}:approve", {"reason": "holder and units confirmed"})
        if in_the_middle is not None:
            await in_the_middle()
        await until("redemption closed", lambda: self._has_status(person, path, "closed"), timeout_s=180, every_s=0.3)
        return await person.get(f"{path}/statement")
