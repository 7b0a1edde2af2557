"""Cases through the service's own routes: /v1/simulate and /v1/operations, with its keys, its policy and its journal. Nothing may be sent
where it refuses; the contract is then asked directly by the key that would have sent it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.chain.harness import Stack, chain_stack
from tests.contracts.evm import ARTIFACTS, reason_of
from tests.support.servers import ServiceKeys, ValkeyServer

pytestmark = pytest.mark.stack
NAMES = ("ann", "bob", "cyrus", "dora", "emil")


@dataclass
class Scene:
    """A token with Iran blocked. ann and dora hold 100 units each, 60 of dora's are frozen; cyrus is from Iran, emil is frozen."""

    stack: Stack
    token: str
    wallets: dict[str, str]

    async def directly(self, who: str, name: str, *args: Any) -> str:
        """What the contract says to a key of ours, past the service; empty when it would do it."""
        sender = await self.stack.address("platform" if who == "platform" else f"investor:{who}")
        request = {"from": sender, "to": self.token, "data": "0x" + ARTIFACTS.abi("Token").data(name, *args).hex()}
        async with httpx.AsyncClient(timeout=30) as http:
            body = {"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [request, "latest"]}
            answer = (await http.post(self.stack.anvil.url, json=body)).json()
        return reason_of(bytes.fromhex(answer["error"]["data"][2:])) if "error" in answer else ""

    async def refused(self, kind: str, **params: Any) -> str:
        """The code of a refused operation; it has sent nothing."""
        before = len(self.stack.state.transactions)
        code = await self.stack.refused(kind, token=self.token, **params)
        assert len(self.stack.state.transactions) == before, "sent something"
        return code


@pytest.fixture(scope="module")
def stack(service_keys: ServiceKeys, valkey: ValkeyServer) -> Iterator[Stack]:
    with chain_stack(service_keys, valkey) as running:
        yield running


@pytest.fixture(scope="module")
async def scene(stack: Stack) -> Scene:
    await stack.run("platform.deploy")
    token = (
        await stack.run("offering.deploy", offering_id="off_t", name="Acme", symbol="ACME", blocked_countries=["IR"])
    )["token"]
    wallets = {"stranger": await stack.address("investor:stranger")}
    for name in NAMES:
        country = "IR" if name == "cyrus" else "US"
        wallets[name] = (
            await stack.run("investor.register", investor_id=name, key_ref=f"investor:{name}", country=country)
        )["address"]
    for name in ("ann", "dora"):
        await stack.run("token.mint", token=token, to=wallets[name], units="100")
    await stack.run("token.freeze_units", token=token, address=wallets["dora"], units="60", frozen=True)
    await stack.run("token.freeze", token=token, address=wallets["emil"], frozen=True)
    return Scene(stack, token, wallets)


TRANSFERS = [
    ("03-receiver-frozen", "ann", "emil", 1, "wallet.frozen", "wallet is frozen"),
    ("04-sender-frozen", "emil", "ann", 1, "wallet.frozen", "wallet is frozen"),
    ("05-more-than-the-balance", "ann", "bob", 101, "balance.insufficient", "Insufficient Balance"),
    ("06-more-than-the-unfrozen-part", "dora", "bob", 41, "balance.insufficient", "Insufficient Balance"),
    ("07-receiver-not-registered", "ann", "stranger", 1, "identity.not_verified", "Transfer not possible"),
    ("09-country-rule", "ann", "cyrus", 1, "compliance.country_blocked", "Transfer not possible"),
]


@pytest.mark.parametrize(
    ("sender", "to", "units", "code", "text"), [row[1:] for row in TRANSFERS], ids=[row[0] for row in TRANSFERS]
)
async def test_transfer(scene: Scene, sender: str, to: str, units: int, code: str, text: str) -> None:
    params = {"from_key_ref": f"investor:{sender}", "to": scene.wallets[to], "units": str(units)}
    body = {"chain_id": 31337, "kind": "token.transfer", "params": {"token": scene.token, **params}}
    preview = await scene.stack.client.post("/v1/simulate", body)
    assert (preview["ok"], preview["reason_code"]) == (False, code)
    assert await scene.refused("token.transfer", **params) == code
    assert await scene.directly(sender, "transfer", scene.wallets[to], units) == text


FORCED = [
    ("20-forced-more-than-the-balance", "ann", "bob", 101, "balance.insufficient", "sender balance too low"),
    ("21-forced-to-an-unverified-wallet", "ann", "stranger", 1, "identity.not_verified", "Transfer not possible"),
    ("59-forced-to-oneself", "dora", "dora", 100, "transfer.to_self", ""),
]


@pytest.mark.parametrize(
    ("sender", "to", "units", "code", "text"), [row[1:] for row in FORCED], ids=[row[0] for row in FORCED]
)
async def test_forced_transfer(scene: Scene, sender: str, to: str, units: int, code: str, text: str) -> None:
    people = {"from": scene.wallets[sender], "to": scene.wallets[to]}
    assert await scene.refused("token.force_transfer", **people, units=str(units)) == code
    if text:
        assert await scene.directly("platform", "forcedTransfer", *people.values(), units) == text


AGENT = [
    ("14-mint-to-an-unverified-wallet", "token.mint", {"to": "stranger", "units": "1"}, "identity.not_verified", ("mint", "stranger", 1), "Identity is not verified."),
    ("15-mint-against-a-rule", "token.mint", {"to": "cyrus", "units": "1"}, "compliance.country_blocked", ("mint", "cyrus", 1), "Compliance not followed"),
    ("16-mint-zero", "token.mint", {"to": "bob", "units": "0"}, "chain.bad_params", ("mint", "bob", 0), "invalid argument - no value mint"),
    ("17-burn-more-than-the-balance", "token.burn", {"from": "ann", "units": "101"}, "balance.insufficient", ("burn", "ann", 101), "cannot burn more than balance"),
    ("25-freeze-more-than-the-balance", "token.freeze_units", {"address": "ann", "units": "101", "frozen": True}, "balance.insufficient",
     ("freezePartialTokens", "ann", 101), "Amount exceeds available balance"),
    ("26-unfreeze-more-than-is-frozen", "token.freeze_units", {"address": "dora", "units": "61", "frozen": False}, "balance.insufficient",
     ("unfreezePartialTokens", "dora", 61), "Amount should be less than or equal to frozen tokens"),
    ("27-unpause-twice", "token.pause", {"paused": False}, "token.not_paused", ("unpause",), "Pausable: not paused"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "params", "code", "call", "text"), [row[1:] for row in AGENT], ids=[row[0] for row in AGENT]
)
async def test_agent(
    scene: Scene, kind: str, params: dict[str, Any], code: str, call: tuple[Any, ...], text: str
) -> None:
    named = {key: scene.wallets.get(value, value) for key, value in params.items()}
    assert await scene.refused(kind, **named) == code
    assert await scene.directly("platform", call[0], *(scene.wallets.get(value, value) for value in call[1:])) == text


async def test_13_and_19_no_other_key_may_act_as_agent(scene: Scene) -> None:
    words = "AgentRole: caller does not have the Agent role"
    assert await scene.directly("ann", "mint", scene.wallets["ann"], 1) == words
    assert await scene.directly("ann", "forcedTransfer", scene.wallets["dora"], scene.wallets["ann"], 1) == words


async def test_01_24_and_27_paused(scene: Scene) -> None:
    stack, token, ann, bob = scene.stack, scene.token, scene.wallets["ann"], scene.wallets["bob"]
    await stack.run("token.pause", token=token, paused=True)
    assert await scene.refused("token.transfer", from_key_ref="investor:ann", to=bob, units="1") == "token.paused"
    assert await scene.directly("ann", "transfer", bob, 1) == "Pausable: paused"
    assert await scene.refused("token.pause", paused=True) == "token.paused"
    assert await scene.directly("platform", "pause") == "Pausable: paused"
    await stack.run("token.force_transfer", token=token, **{"from": ann}, to=bob, units="1")
    await stack.run("token.pause", token=token, paused=False)
    await stack.run("token.force_transfer", token=token, **{"from": bob}, to=ann, units="1")


async def test_60_a_holder_stays_registered_until_nothing_is_held(scene: Scene) -> None:
    before = len(scene.stack.state.transactions)
    assert (
        await scene.stack.refused("investor.unregister", investor_id="ann", key_ref="investor:ann")
        == "identity.holds_tokens"
    )
    assert len(scene.stack.state.transactions) == before
