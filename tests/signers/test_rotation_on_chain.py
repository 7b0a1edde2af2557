"""T24: a key is replaced while it has work in hand. On a real node, with the contracts of the token standard."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.chain.harness import ROOT
from tests.chain.rig import FAST, Rig, ask, rig
from tests.support.servers import AnvilServer, anvil_server
from tokenx_chain.contracts.artifacts import Artifacts
from tokenx_chain.contracts.calls import Call
from tokenx_chain.contracts.roles import Roles
from tokenx_chain.signers.keybook import Held, KeyBook
from tokenx_chain.signers.rotation import Phase, Rotation, RotationRefused, run
from tokenx_chain.transactions.rotating import AgentRotation
from tokenx_chain.transactions.sender import Intent

pytestmark = pytest.mark.stack

STORAGE = "IdentityRegistryStorage"
CALM = replace(FAST, bump_after_s=60.0)


@pytest.fixture(scope="module")
def anvil() -> Iterator[AnvilServer]:
    with anvil_server(None) as node:
        yield node


@pytest.fixture
async def url(anvil: AnvilServer) -> str:
    await ask(anvil.url, "evm_setAutomine", False)
    return anvil.url


class Scene:
    """Contracts owned by rig.key, with an agent whose key is replaced."""

    def __init__(self, r: Rig, name: str) -> None:
        self.r, self.name = r, name
        self.old, self.new = name, f"{name}@2"
        self.abi = Artifacts(ROOT / "contracts").abi(STORAGE)
        self.contracts: dict[str, Roles] = {}
        self.book = KeyBook()
        self.sent: list[str] = []

    async def deployed(self) -> Roles:
        """One more contract, with the old key as its agent."""
        r = self.r
        artifact = Artifacts(ROOT / "contracts")[STORAGE]
        (made,) = await r.final(self.intent(artifact.deployment(), gas=6_000_000))
        receipt = await r.ask("eth_getTransactionReceipt", made.tx_hash)
        roles = Roles(self.abi, receipt["contractAddress"].lower())
        await r.final(self.intent(self.abi.call(roles.address, "init")))
        await r.final(self.intent(roles.add_agent(await r.signer.address(self.old))))
        self.contracts[roles.address] = roles
        return roles

    def intent(self, call: Call, *, gas: int = 400_000) -> Intent:
        return Intent(self.r.state.request("test", {}), "send", call, gas)

    async def send(self, key: str, call: Call) -> bool:
        """By the owner, once for each name."""
        assert key not in self.sent, "asked twice"
        self.sent.append(key)
        (receipt,) = await self.r.final(self.intent(call))
        return receipt.ok

    def port(self) -> AgentRotation:
        r = self.r
        return AgentRotation(node=r.node, signer=r.signer, senders=r.senders, tracker=r.tracker, book=self.book,
                             deployments=lambda: self.contracts, send=self.send)  # fmt: skip

    async def state(self) -> Rotation:
        address = self.r.signer.address
        return Rotation(
            "rot_1", self.name, self.old, self.new, await address(self.old), await address(self.new), epoch=1
        )


async def test_t24_old_key_drains_new_intents_use_the_new_one_and_no_role_is_ever_nobodys(url: str) -> None:
    async with rig(url, network=CALM) as r:
        scene = Scene(r, f"agent-{r.key.partition(':')[2]}")
        for key in (scene.old, scene.new):
            await r.ask("anvil_setBalance", await r.signer.address(key), hex(10**20))
        await scene.deployed()
        late: list[Roles] = []
        bound: list[Intent] = []
        fresh: list[Intent] = []
        phases: list[Phase] = []

        async def save(state: Rotation) -> None:
            """What happens meanwhile: work is under way before the switch, a contract appears that knows only the old key."""
            phases.append(state.phase)
            if state.phase is Phase.SWITCH:
                bound.extend(r.intent() for _ in range(5))
                await r.send(*bound, key=scene.book.of(scene.name).key_ref)
            if state.phase is Phase.DRAIN and not fresh:
                fresh.extend(r.intent() for _ in range(3))
                await r.send(*fresh, key=scene.book.of(scene.name).key_ref)
                late.append(await scene.deployed())
            for roles in scene.contracts.values():
                old, new = state.old_address, state.new_address
                assert any(await r.node.read_all([roles.is_agent(old), roles.is_agent(new)])), (
                    f"{roles.address} is nobody's"
                )

        ended = await asyncio.wait_for(
            run(await scene.state(), scene.port(), save=save, pause=lambda _s: asyncio.sleep(0.1)), 60
        )
        assert ended.phase is Phase.DONE
        assert len(ended.grants) == 2
        assert scene.book.of(scene.name) == Held(scene.new, 2)
        await r.until(lambda: all(r.row(i)["state"] == "final" for i in bound + fresh), "finality")
        assert {r.row(i)["from_address"] for i in bound} == {ended.old_address}
        assert {r.row(i)["from_address"] for i in fresh} == {ended.new_address}
        assert [await r.executions(i) for i in bound + fresh] == [1] * 8
        for roles in [*scene.contracts.values(), *late]:
            assert await r.node.read_all([roles.is_agent(ended.old_address), roles.is_agent(ended.new_address)]) == [
                False,
                True,
            ]
        assert phases.index(Phase.DRAIN) < phases.index(Phase.RECHECK) < phases.index(Phase.REVOKE)


async def test_rotation_crashed_after_any_step_ends_the_same_way(url: str) -> None:
    async with rig(url, network=CALM) as r:
        scene = Scene(r, f"agent-{r.key.partition(':')[2]}")
        await scene.deployed()
        held = [await scene.state()]

        async def crash(state: Rotation) -> None:
            held.append(state)
            raise KeyboardInterrupt

        for _ in range(30):
            if held[-1].is_over:
                break
            with pytest.raises(KeyboardInterrupt):
                await run(held[-1], scene.port(), save=crash, pause=lambda _s: asyncio.sleep(0.05))
        assert held[-1].phase is Phase.DONE
        # An earlier state played again finds everything done and sends nothing.
        sent = len(scene.sent)
        again = await run(
            held[2], scene.port(), save=lambda _state: asyncio.sleep(0), pause=lambda _s: asyncio.sleep(0.05)
        )
        assert (again.phase, len(scene.sent)) == (Phase.DONE, sent)


async def test_key_that_does_not_sign_as_its_address_stops_the_rotation_before_any_change(url: str) -> None:
    async with rig(url, network=CALM) as r:
        scene = Scene(r, f"agent-{r.key.partition(':')[2]}")
        await scene.deployed()
        wrong = replace(await scene.state(), new_address="0x" + "99" * 20)
        with pytest.raises(RotationRefused, match="did not sign"):
            await run(wrong, scene.port(), save=lambda _state: asyncio.sleep(0), pause=lambda _s: asyncio.sleep(0.05))
        assert scene.sent == []


def test_book_switches_once_for_each_epoch() -> None:
    book = KeyBook()
    assert book.of("platform") == Held("platform", 1)
    assert book.switch("platform", to_key="platform@2", from_epoch=1)
    assert book.switch("platform", to_key="platform@2", from_epoch=1)
    assert not book.switch("platform", to_key="platform@3", from_epoch=1)
    assert book.of("platform") == Held("platform@2", 2)
