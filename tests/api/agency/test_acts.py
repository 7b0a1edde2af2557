"""Acts of agents: who may, what is refused before the chain is asked to do anything, what is held meanwhile, and how the ledger follows."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.api.harness import REFUSALS, Client, address_of
from tests.api.world import World
from tokenx_api.chain_events import dispatch
from tokenx_api.ledger import models as accounts
from tokenx_api.ledger import service as ledger
from tokenx_api.wallets.models import investor_key
from tokenx_common.events import ChainItem
from tokenx_common.ids import new_id

NOBODY = "0x" + "0" * 40
CHAIN = 31337
_seqs = itertools.count(1_000_000)


@dataclass
class Desk:
    """An open offering; ann and bob are registered, ann holds 100 units."""

    world: World
    agent: Client
    offering: dict[str, Any]
    ann: str
    bob: str
    ann_client: Client

    def body(self, kind: str, *items: dict[str, Any]) -> dict[str, Any]:
        return {"offering_id": self.offering["offering_id"], "kind": kind, "items": list(items), "reason": "court order 7"}  # fmt: skip

    async def ask(self, kind: str, *items: dict[str, Any], expect: int = 202, key: str = "", by: Client | None = None) -> Any:  # fmt: skip
        return await (by or self.agent).post("/v1/agent-acts", self.body(kind, *items), expect=expect, Idempotency_Key=key or new_id("cor"))  # fmt: skip

    async def refused(self, kind: str, *items: dict[str, Any]) -> tuple[str, str, str]:
        """(code, side, rule) of a refusal; no operation was recorded."""
        before = await self.operations()
        answer = await self.ask(kind, *items, expect=409)
        assert await self.operations() == before
        return answer["code"], answer["side"], answer["rule"]

    async def operations(self) -> int:
        return (await self.world.api.fetch("SELECT count(*) AS n FROM chain.operations"))[0]["n"]

    async def event(self, kind: str, payload: dict[str, Any], tx_hash: str | None = None) -> None:
        """As the consumer hands it on."""
        seq = next(_seqs)
        item = ChainItem.model_validate({
            "seq": seq, "event_id": f"{kind}:{seq}", "type": kind, "occurred_at": "2026-11-22T08:00:00.000000Z", "correlation_id": "",
            "block_number": 1, "block_hash": "0x1", "tx_hash": tx_hash, "log_index": 0, "payload": payload,
        })  # fmt: skip
        async with self.world.api.context.db.write() as conn:
            await dispatch(conn, CHAIN, item)

    async def mined(self, act: dict[str, Any], *moves: tuple[str, str, int], **result: Any) -> None:
        """The act's transaction with these transfers, and the operation's end."""
        tx_hash = "0x" + new_id("op")[3:].rjust(64, "0")
        tx_id, nonce = f"{act['operation_id']}:step", next(_seqs)
        await self.world.api.fetch(
            """WITH t AS (INSERT INTO chain.transactions (tx_id, operation_id, step, chain_id, from_address, nonce, tx_hash, raw, epoch)
                          VALUES ($1, $2, 'step', $3, $4, $5, $6, '\\x00', 1))
               INSERT INTO chain.tx_attempts (tx_id, attempt, kind, chain_id, from_address, nonce, tx_hash, raw, epoch)
               VALUES ($1, 1, 'initial', $3, $4, $5, $6, '\\x00', 1) RETURNING 1""",
            tx_id, act["operation_id"], CHAIN, NOBODY, nonce, tx_hash,
        )  # fmt: skip
        for sender, receiver, units in moves:
            payload = {"token": self.offering["token_address"], "from": sender, "to": receiver, "amount": str(units)}
            await self.event("transfer.final", payload, tx_hash)
        await self.event("operation.final", {"operation_id": act["operation_id"], "result": result})

    async def failed(self, act: dict[str, Any], code: str = "policy.not_allowed") -> None:
        payload = {"operation_id": act["operation_id"], "error_code": code, "error_detail": "x"}
        await self.event("operation.failed", payload)

    async def held(self, investor_id: str) -> tuple[int, int]:
        """(units, reserved) by the ledger."""
        async with self.world.api.context.db.read() as conn:
            found = await ledger.balance(conn, accounts.investor(investor_id, self.offering["offering_id"]))
        return found.balance, found.reserved

    async def on_chain(self, investor_id: str) -> int:
        rows = await self.world.api.fetch(
            "SELECT amount::int AS n FROM api.token_balances WHERE token = $1 AND address = $2", self.offering["token_address"], wallet(investor_id)
        )  # fmt: skip
        return rows[0]["n"] if rows else 0


def wallet(investor_id: str) -> str:
    return address_of(investor_key(investor_id))


def item(investor_id: str, units: int | None = None, to: str | None = None) -> dict[str, Any]:
    return {"investor_id": investor_id, "units": None if units is None else str(units), "to_investor_id": to}


@pytest.fixture(autouse=True)
def no_refusals() -> Iterator[None]:
    yield
    REFUSALS.clear()


@pytest.fixture
async def desk(world: World) -> Desk:
    issuer, _ = await world.issuer()
    offering = await world.offering(issuer)
    (client, ann), (_, bob) = await world.investor(), await world.investor()
    made = Desk(world, await world.staff("transfer_agent"), offering, ann, bob, client)
    await made.mined(await made.ask("mint", item(ann, 100)), (NOBODY, wallet(ann), 100))
    return made


async def test_mint_moves_ledger_and_register_together(desk: Desk) -> None:
    assert (await desk.held(desk.ann), await desk.on_chain(desk.ann)) == ((100, 0), 100)
    table = await desk.agent.get(f"/v1/offerings/{desk.offering['offering_id']}/cap-table")
    assert (table["agrees"], table["total_units"]) == (True, "100")


async def test_the_same_key_is_the_same_act(desk: Desk) -> None:
    first = await desk.ask("mint", item(desk.bob, 1), key="again")
    assert (await desk.ask("mint", item(desk.bob, 1), key="again"))["act_id"] == first["act_id"]
    assert (await desk.ask("mint", item(desk.bob, 2), key="again", expect=422))["code"] == "idempotency.key_reused"
    await desk.agent.post("/v1/agent-acts", desk.body("mint", item(desk.bob, 1)), expect=400)


async def test_units_of_a_forced_transfer_are_held_until_it_is_final(desk: Desk) -> None:
    act = await desk.ask("force_transfer", item(desk.ann, 60, desk.bob))
    assert (act["status"], act["approvals"], await desk.held(desk.ann)) == ("requested", 1, (100, 60))
    assert await desk.refused("burn", item(desk.ann, 41)) == ("units.reserved", "sender", "reserved_units")
    await desk.mined(act, (wallet(desk.ann), wallet(desk.bob), 60))
    assert (await desk.held(desk.ann), await desk.held(desk.bob)) == ((40, 0), (60, 0))
    assert (await desk.on_chain(desk.ann), await desk.on_chain(desk.bob)) == (40, 60)
    found = await desk.agent.get(f"/v1/agent-acts/{act['act_id']}")
    assert found["status"] == "final"
    assert await desk.world.actions(act["act_id"]) == ["act.requested", "act.final"]


async def test_a_failed_act_leaves_no_trace_in_the_books(desk: Desk) -> None:
    act = await desk.ask("burn", item(desk.ann, 60))
    await desk.failed(act, "transaction.cancelled")
    assert await desk.held(desk.ann) == (100, 0)
    found = await desk.agent.get(f"/v1/agent-acts/{act['act_id']}")
    assert (found["status"], found["error_code"]) == ("failed", "transaction.cancelled")
    await desk.failed(act)
    assert (await desk.world.actions(act["act_id"])).count("act.failed") == 1


async def test_the_second_person_is_somebody_else(desk: Desk) -> None:
    act = await desk.ask("force_transfer", item(desk.ann, 1, desk.bob))
    path = f"/v1/chain/operations/{act['operation_id']}:approve"
    again = await desk.agent.post(path, {"reason": "me again"}, expect=409)
    assert again["code"] == "approval.second_person_required"
    officer = await desk.world.staff("compliance_officer")
    assert (await officer.post(path, {"reason": "checked the order"}, expect=200))["approvals"] == 2


async def test_the_chains_refusal_has_code_side_and_rule_for_each_item(desk: Desk) -> None:
    refusal = {"ok": False, "reason": "no", "reason_code": "identity.not_verified", "side": "receiver", "rule": "identity"}  # fmt: skip
    REFUSALS[wallet(desk.bob)] = refusal
    items = item(desk.ann, 1), item(desk.bob, 1)
    assert await desk.refused("mint", *items) == ("identity.not_verified", "receiver", "identity")
    asked = {key: value for key, value in desk.body("mint", *items).items() if key != "reason"}
    answer = await desk.agent.post("/v1/agent-acts:check", asked, expect=200)
    assert (answer["ok"], [(one["ok"], one["code"]) for one in answer["items"]]) == (
        False,
        [(True, None), (False, "identity.not_verified")],
    )


async def test_a_batch_that_only_fails_together_is_refused(desk: Desk) -> None:
    REFUSALS["token.mint_batch"] = {"ok": False, "reason": "no", "reason_code": "compliance.holder_cap", "side": "rule", "rule": "cap"}  # fmt: skip
    assert (await desk.refused("mint", item(desk.ann, 1), item(desk.bob, 1)))[0] == "compliance.holder_cap"
    await desk.ask("mint", item(desk.ann, 1))
    assert await desk.refused("burn", item(desk.ann, 60), item(desk.bob, 1)) == ("balance.insufficient", "sender", "balance")  # fmt: skip


async def test_frozen_units_are_not_for_sale_and_a_burn_eats_them_last(desk: Desk) -> None:
    act = await desk.ask("freeze_units", item(desk.ann, 70))
    assert await frozen(desk) == 70  # from the request on
    await desk.mined(act)
    await desk.mined(await desk.ask("unfreeze_units", item(desk.ann, 10)))
    assert await frozen(desk) == 60
    burn = await desk.ask("burn", item(desk.ann, 55))
    await desk.mined(burn, (wallet(desk.ann), NOBODY, 55), unfrozen={wallet(desk.ann): "15"})
    assert (await frozen(desk), await desk.held(desk.ann)) == (45, (45, 0))
    await desk.failed(await desk.ask("freeze_units", item(desk.ann, 1)))
    assert await frozen(desk) == 45


async def frozen(desk: Desk) -> int:
    rows = await desk.world.api.fetch("SELECT units FROM api.holding_freezes WHERE investor_id = $1", desk.ann)
    return rows[0]["units"]


async def test_a_wallet_frozen_by_an_agent_is_refused_on_both_sides_at_once(desk: Desk) -> None:
    await desk.ask("freeze_wallet", item(desk.ann))
    assert await desk.refused("freeze_wallet", item(desk.ann)) == ("wallet.already_frozen", "sender", "freeze")
    assert "WALLET_FROZEN" in await subscription_refusal(desk)
    redeem = await desk.ann_client.post("/v1/redemptions", {"offering_id": desk.offering["offering_id"], "units": "1"}, expect=403,
                                        Idempotency_Key=new_id("cor"))  # fmt: skip
    assert "WALLET_FROZEN" in [reason["code"] for reason in redeem["reasons"]]
    assert (await desk.refused("transfer", item(desk.bob, 1, desk.ann)))[0] == "balance.insufficient"
    officer = await desk.world.staff("compliance_officer")
    await officer.post(f"/v1/investors/{desk.ann}:freeze", {"reason": "court order"}, expect=200)
    assert await desk.refused("unfreeze_wallet", item(desk.ann)) == ("investor.frozen", "sender", "freeze")


async def subscription_refusal(desk: Desk) -> list[str]:
    body = {"offering_id": desk.offering["offering_id"], "units": "1"}
    answer = await desk.ann_client.post("/v1/subscriptions", body, expect=403, Idempotency_Key=new_id("cor"))
    return [reason["code"] for reason in answer["reasons"]]


async def test_a_pause_counts_from_the_request_on_and_is_taken_back_when_it_fails(desk: Desk) -> None:
    act = await desk.ask("pause")
    assert await desk.refused("pause") == ("token.paused", "token", "pause")
    assert await desk.refused("transfer", item(desk.ann, 1, desk.bob)) == ("compliance.token_paused", "sender", "R28_token_not_paused")  # fmt: skip
    await desk.failed(act)
    await desk.mined(await desk.ask("transfer", item(desk.ann, 1, desk.bob)), (wallet(desk.ann), wallet(desk.bob), 1))
    assert await desk.held(desk.bob) == (1, 0)


async def test_a_mint_stays_below_what_the_terms_allow(desk: Desk) -> None:
    assert await desk.refused("mint", item(desk.bob, 901)) == ("offering.full", "token", "max_units")
    await desk.ask("mint", item(desk.bob, 900))
    assert (await desk.refused("mint", item(desk.bob, 1)))[0] == "offering.full"


async def test_without_a_wallet_nobody_receives(desk: Desk) -> None:
    _, stranger = await desk.world.investor(registered=False)
    for kind, what in (("mint", item(stranger, 1)), ("force_transfer", item(desk.ann, 1, stranger))):
        assert await desk.refused(kind, what) == ("identity.not_verified", "receiver", "identity")
    assert await desk.refused("force_transfer", item(desk.ann, 1, desk.ann)) == ("transfer.to_self", "sender", "self_transfer")  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "items", "pointer"),
    [
        ("pause", [item("inv_1", 1)], "/items"),
        ("mint", [], "/items"),
        ("mint", [item("inv_1")], "/items/0/units"),
        ("burn", [item("inv_1", 1, "inv_2")], "/items/0/to_investor_id"),
        ("force_transfer", [item("inv_1", 1)], "/items/0/to_investor_id"),
        ("freeze_wallet", [item("inv_1", 1)], "/items/0/units"),
        ("burn", [item("inv_1", 1), item("inv_1", 1)], "/items"),
        ("transfer", [item("inv_1", 1, "inv_3"), item("inv_2", 1, "inv_3")], "/items"),
    ],
)
async def test_what_an_act_names_fits_its_kind(
    desk: Desk, kind: str, items: list[dict[str, Any]], pointer: str
) -> None:
    answer = await desk.ask(kind, *items, expect=422)
    assert answer["errors"][0]["pointer"] == pointer


async def test_each_power_has_its_personas(desk: Desk) -> None:
    officer, minter = await desk.world.staff("compliance_officer"), await desk.world.staff("tokenization_agent")
    assert (await desk.ask("mint", item(desk.ann, 1), by=officer, expect=403))["code"] == "auth.permission_denied"
    await desk.ask("force_transfer", item(desk.ann, 1, desk.bob), by=minter, expect=403)
    await desk.ask("mint", item(desk.ann, 1), by=minter)
    await desk.ask("freeze_units", item(desk.ann, 1), by=officer)
    page = await officer.get(f"/v1/agent-acts?offering_id={desk.offering['offering_id']}&limit=2")
    assert ([row["kind"] for row in page["data"]], bool(page["next_cursor"])) == (["freeze_units", "mint"], True)
    investor = await desk.world.api.user("investor")
    await investor.get("/v1/agent-acts", expect=403)
    await investor.post("/v1/agent-acts:check", {}, expect=403)


async def test_nothing_waits_once_it_is_signed(desk: Desk) -> None:
    act = await desk.ask("mint", item(desk.ann, 1))
    path = f"/v1/agent-acts/{act['act_id']}:withdraw"
    assert (await desk.agent.post(path, {"reason": "a mistake"}, expect=409))["code"] == "act.nothing_waits"
    await desk.world.api.fetch(
        """INSERT INTO chain.transactions (tx_id, operation_id, step, chain_id, from_address, state, state_reason, active_attempt, epoch)
           VALUES ($1 || ':mint', $1, 'mint', $2, $3, 'paused', 'approval_required', 0, 1) RETURNING 1""",
        act["operation_id"], CHAIN, NOBODY,
    )  # fmt: skip
    assert (await desk.agent.post(path, {"reason": "a mistake"}, expect=202))["waits_for_approval"] is True
