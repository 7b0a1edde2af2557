"""The scene of the cases that go through the public REST API: the whole product, people signed in, and the contracts asked past all of it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.contracts.evm import ARTIFACTS, reason_of
from tests.support.stack import Stack
from tokenx_cli.people import ApiProblem, Person, until
from tokenx_cli.runtime.secrets import PERSONA_LOGINS
from tokenx_common.ids import new_id

PASSWORD = "correct horse battery"
PEOPLE = ("ann", "bob", "cyrus", "dora", "emil", "zoe", "rita")
"""cyrus lives in Iran, which the offering blocks. stranger, who comes on top, never passes KYC."""
NOBODY = "0x" + "5a" * 20
WHY = {"reason": "an acceptance case"}
TERMS = {
    "name": "Acme Preferred", "exemption": "reg_d_506c", "unit_price_amount": "10.00", "max_units": "100000", "tick_size_amount": "0.01",
    "lot_size_units": "1", "blocked_countries": ["IR"],
}  # fmt: skip


@dataclass
class Scene:
    """Two offerings on one identity table. offering, token: the first one's. wallets: of people, by name, as they are first."""

    stack: Stack
    people: dict[str, Person] = field(default_factory=dict[str, Person])
    ids: dict[str, str] = field(default_factory=dict[str, str])
    wallets: dict[str, str] = field(default_factory=dict[str, str])
    offering: str = ""
    second: str = ""
    token: str = ""
    second_token: str = ""
    platform: str = ""

    def staff(self, persona: str) -> Person:
        return self.people[self.stack.email_of(persona)]

    @property
    def agent(self) -> Person:
        return self.staff("transfer_agent")

    @property
    def officer(self) -> Person:
        return self.staff("compliance_officer")

    # Through the REST API

    def item(self, who: str, units: int | None = None, to: str | None = None) -> dict[str, Any]:
        return {"investor_id": self.ids[who], "units": None if units is None else str(units), "to_investor_id": self.ids[to] if to else None}  # fmt: skip

    async def ask(self, kind: str, *items: dict[str, Any], by: Person | None = None, offering: str = "") -> dict[str, Any]:  # fmt: skip
        body = {"offering_id": offering or self.offering, "kind": kind, "items": list(items), **WHY}
        return await (by or self.agent).post_once("/v1/agent-acts", body)

    async def done(self, act: dict[str, Any]) -> dict[str, Any]:
        """The act once it is final."""

        async def look() -> dict[str, Any] | None:
            found = await self.agent.get(f"/v1/agent-acts/{act['act_id']}")
            assert found["status"] != "failed", found
            return found if found["status"] == "final" else None

        return await until(f"{act['kind']} to be final", look)

    async def act(self, kind: str, *items: dict[str, Any], offering: str = "") -> dict[str, Any]:
        """Asked for, agreed to by a second person, and final."""
        act = await self.ask(kind, *items, offering=offering)
        await self.agree(act["operation_id"])
        return await self.done(act)

    async def agree(self, operation_id: str) -> None:
        await self.officer.post(f"/v1/chain/operations/{operation_id}:approve", WHY)

    async def refused(self, asked: Callable[[], Awaitable[Any]]) -> ApiProblem:
        """The refusal; nothing was asked of the chain service."""
        before = await self.newest()
        try:
            await asked()
        except ApiProblem as problem:
            assert await self.newest() == before, "an operation was recorded"
            return problem
        raise AssertionError("was not refused")

    async def newest(self) -> str:
        return (await self.agent.get("/v1/chain/operations", limit=1))["data"][0]["operation_id"]

    async def no(self, kind: str, *items: dict[str, Any], by: Person | None = None) -> tuple[str, str | None]:
        """(code, side) of a refused act."""
        problem = await self.refused(lambda: self.ask(kind, *items, by=by))
        return problem.code, problem.body.get("side")

    async def order(self, who: str, side: str) -> list[str]:
        """Why an order of one unit is refused."""
        body = {
            "offering_id": self.offering, "client_order_id": new_id("cor"), "side": side, "type": "limit", "time_in_force": "day",
            "quantity": "1", "limit_price": "10.00",
        }  # fmt: skip
        return (await self.refused(lambda: self.people[who].post_once("/v1/orders", body))).reason_codes()

    async def wait(self, what: str, who: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The investor, once something is true of it."""

        async def look() -> dict[str, Any] | None:
            found = await self.people[who].get("/v1/investors/me")
            return found if condition(found) else None

        return await until(what, look)

    # Past it

    async def rpc(self, method: str, *params: Any) -> Any:
        async with httpx.AsyncClient(timeout=30) as http:
            body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
            return (await http.post(self.stack.urls["rpc"], json=body)).json()

    async def directly(self, who: str, name: str, *args: Any, contract: str = "Token", at: str = "") -> str:
        """What a contract says to a key of ours, past the product; empty when it would do it. Names of people stand for their wallets."""
        sender = self.platform if who == "platform" else self.wallets[who]
        data = ARTIFACTS.abi(contract).data(name, *(self.address(arg) for arg in args))
        request = {"from": sender, "to": at or self.token, "data": "0x" + data.hex()}
        answer = await self.rpc("eth_call", request, "latest")
        return reason_of(bytes.fromhex(answer["error"]["data"][2:])) if "error" in answer else ""

    def address(self, arg: Any) -> Any:
        if isinstance(arg, list):
            return [self.address(one) for one in arg]  # pyright: ignore[reportUnknownVariableType]  # arguments of any type
        return self.wallets.get(arg, arg) if isinstance(arg, str) else arg

    async def read(self, contract: str, at: str, name: str, *args: Any) -> Any:
        read = ARTIFACTS.abi(contract).read(at, name, *(self.address(arg) for arg in args), as_type=object)
        answer = await self.rpc("eth_call", {"to": at, "data": "0x" + read.data.hex()}, "latest")
        return read.decode(bytes.fromhex(answer["result"][2:]))

    async def state(self, who: str, token: str = "") -> tuple[int, int, bool]:
        """(units, frozen units, wallet frozen), on chain."""
        at, wallet = token or self.token, self.address(who)
        units, frozen, is_frozen = [await self.read("Token", at, name, wallet) for name in ("balanceOf", "getFrozenTokens", "isFrozen")]  # fmt: skip
        return units, frozen, is_frozen

    async def contract(self, name: str) -> str:
        found = (await self.agent.get("/v1/chain/status"))["contracts"]
        return next(one["address"] for one in found if one["name"] == name)


async def set_up(stack: Stack) -> Scene:
    """ann and dora hold 100 units of the first token each, 60 of dora's frozen; emil holds 10 in a frozen wallet; zoe 5; rita 20 of the first
    with 8 frozen and 7 of the second."""
    scene = Scene(stack)
    for email in PERSONA_LOGINS:
        scene.people[email] = await Person(stack.urls["api"]).sign_in(email, stack.logins[email])
    await scene.staff("tokenization_agent").post("/v1/chain/platform:deploy")
    await asyncio.gather(*(_enter(scene, name) for name in (*PEOPLE, "stranger")))
    await until("the platform deployed", lambda: _deployed(scene))
    issuer = scene.staff("issuer")
    profile = await issuer.post("/v1/issuers", {"legal_name": "Acme Holdings Inc.", "country": "US"})
    await scene.officer.post(f"/v1/issuers/{profile['issuer_id']}:approve-kyb", WHY)
    offers = asyncio.gather(_offer(scene, "ACME"), _offer(scene, "ACMB"))
    (first, second), _ = await asyncio.gather(offers, asyncio.gather(*(_pass(scene, name) for name in PEOPLE)))
    scene.offering, scene.second = first["offering_id"], second["offering_id"]
    scene.token, scene.second_token = first["token_address"], second["token_address"]
    minted, _ = await asyncio.gather(
        scene.act("mint", *(scene.item(who, units) for who, units in (("ann", 100), ("dora", 100), ("emil", 10), ("zoe", 5), ("rita", 20)))),
        scene.act("mint", scene.item("rita", 7), offering=scene.second),
    )  # fmt: skip
    await asyncio.gather(scene.act("freeze_units", scene.item("dora", 60), scene.item("rita", 8)), scene.act("freeze_wallet", scene.item("emil")))  # fmt: skip
    (sent, *_) = (await scene.agent.get(f"/v1/chain/operations/{minted['operation_id']}"))["tx_hashes"]
    scene.platform = (await scene.rpc("eth_getTransactionByHash", sent))["result"]["from"]
    return scene


async def _deployed(scene: Scene) -> bool:
    return (await scene.agent.get("/v1/chain/status"))["platform"] == "deployed"


async def _enter(scene: Scene, name: str) -> None:
    """An account with an investor profile."""
    email, url = f"{name}@example.test", scene.stack.urls["api"]
    stranger = Person(url)
    await stranger.post("/v1/auth/register", {"email": email, "password": PASSWORD, "display_name": name, "persona": "investor"})  # fmt: skip
    await stranger.close()
    scene.people[name] = await Person(url).sign_in(email, PASSWORD)
    profile = {"legal_name": name.title(), "country": "IR" if name == "cyrus" else "US"}
    scene.ids[name] = (await scene.people[name].post("/v1/investors", profile))["investor_id"]


async def _pass(scene: Scene, name: str) -> None:
    """KYC passed, the wallet in the registry."""
    await scene.officer.post(f"/v1/investors/{scene.ids[name]}:approve-kyc", WHY)
    found = await scene.wait(f"{name} registered", name, lambda mine: mine["wallets"][0]["status"] == "registered")
    scene.wallets[name] = found["wallets"][0]["address"]


async def _offer(scene: Scene, symbol: str) -> dict[str, Any]:
    """An offering with a token, open."""
    issuer = scene.staff("issuer")
    path = f"/v1/offerings/{(await issuer.post('/v1/offerings', {**TERMS, 'symbol': symbol}))['offering_id']}"
    await scene.officer.post(f"{path}:approve")
    await scene.staff("tokenization_agent").post(f"{path}:deploy")

    async def has_token() -> bool:
        return (await issuer.get(path))["status"] == "deployed"

    await until(f"{symbol} deployed", has_token)
    return await issuer.post(f"{path}:open")
