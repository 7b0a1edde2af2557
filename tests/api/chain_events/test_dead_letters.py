"""Every kind of dead letter is closed by two people: done again where there is something to do, else only set aside. One that comes back opens again."""

import json
from typing import Any

import pytest

from tests.api.builders import CHAIN_ID, address
from tests.api.chain_events.test_chain_events import STREAM
from tests.api.in_process import Api
from tests.api.tokenization.test_transactions import intent, signed

Body = dict[str, Any]


@pytest.fixture(autouse=True)
async def _lease(api: Api) -> None:
    await api.seed.lease(STREAM, 3)


async def journal(api: Api, *records: Body) -> None:
    async with api.service("chain") as chain:
        answer = await chain.post(
            "/internal/chain/journal", json={"epoch": 3, "chain_id": CHAIN_ID, "records": list(records)}
        )
    assert answer.status_code == 200, answer.text


def letter(kind: str, ref_id: str) -> Body:
    return {"op": "dead_letter", "kind": kind, "ref_id": ref_id, "payload": {"n": 1}, "error": "RuntimeError: x"}


async def by_two(api: Api, verb: str) -> Any:
    """The second person's answer."""
    answer: Any = None
    number = await api.seed.value("SELECT max(dead_letter_id) FROM chain.dead_letters")
    for _ in range(2):
        async with api.as_actor(await api.seed.user("tokenization_agent")) as client:
            answer = await client.post(f"/v1/chain/dead-letters/{number}:{verb}", json={"reason": "looked at it"})
    return answer


async def handed_over(api: Api) -> list[Body]:
    rows = await api.seed.rows.fetch("SELECT payload FROM api.outbox WHERE kind = 'chain_operation' ORDER BY outbox_id")
    return [json.loads(row["payload"]) for row in rows]


async def an_intent(api: Api, *, state: str = "failed") -> str:
    async with api.service("chain") as chain:
        await chain.post(
            "/internal/chain/intents", json=intent("op_lost", params={"key_ref": "platform", "to": address(2)})
        )
    await journal(api, signed("op_lost"))
    await api.seed.rows.execute("UPDATE chain.operations SET state = $1", state)
    return "op_lost"


async def test_crashed_operation_is_handed_over_to_be_run_on(api: Api) -> None:
    operation_id = await api.seed.operation("subscription:sub_1")
    await journal(api, letter("operation", operation_id))
    assert (await by_two(api, "requeue")).json()["status"] == "requeued"
    (payload,) = await handed_over(api)
    assert (payload["operation_id"], payload["rerun"]) == (operation_id, True)


async def test_operation_that_has_ended_meanwhile_is_not_run_on(api: Api) -> None:
    operation_id = await api.seed.operation("subscription:sub_1")
    await journal(api, letter("operation", operation_id))
    await api.seed.rows.execute("UPDATE chain.operations SET state = 'final'")
    refused = await by_two(api, "requeue")
    assert (refused.status_code, refused.json()["code"]) == (409, "dead_letter.not_requeueable")
    assert await handed_over(api) == []
    assert (await by_two(api, "discard")).json()["status"] == "discarded"


async def test_single_call_whose_nonce_was_lost_is_asked_for_anew(api: Api) -> None:
    operation_id = await an_intent(api)
    await journal(api, letter("transaction", f"{operation_id}:send"))
    assert (await by_two(api, "requeue")).status_code == 200
    (payload,) = await handed_over(api)
    assert payload["operation_id"] != operation_id
    assert payload["params"] == {"key_ref": "platform", "to": address(2)}
    states = await api.seed.rows.fetch("SELECT operation_id, state FROM chain.operations ORDER BY created_at")
    assert [row["state"] for row in states] == ["failed", "queued"]


@pytest.mark.parametrize("state", ["running", "final"])
async def test_single_call_that_did_not_fail_is_not_asked_for_twice(api: Api, state: str) -> None:
    operation_id = await an_intent(api, state=state)
    await journal(api, letter("transaction", f"{operation_id}:send"))
    assert (await by_two(api, "requeue")).json()["code"] == "dead_letter.not_requeueable"
    assert await handed_over(api) == []


async def test_step_of_the_platform_whose_nonce_was_lost_is_asked_for_where_it_came_from(api: Api) -> None:
    operation_id = await api.seed.operation("subscription:sub_1")
    await api.seed.rows.execute("UPDATE chain.operations SET state = 'failed'")
    await journal(api, letter("transaction", f"{operation_id}:mint"))
    assert (await by_two(api, "requeue")).json()["code"] == "dead_letter.not_requeueable"
    assert (await by_two(api, "discard")).json()["status"] == "discarded"


async def test_finding_can_only_be_set_aside(api: Api) -> None:
    await journal(api, letter("drift", "drift:2026-01-01:x"))
    assert (await by_two(api, "requeue")).json()["code"] == "dead_letter.not_requeueable"
    assert (await by_two(api, "discard")).json()["status"] == "discarded"


async def test_letter_that_comes_back_opens_again_and_needs_two_people_anew(api: Api) -> None:
    operation_id = await api.seed.operation("subscription:sub_1")
    await journal(api, letter("operation", operation_id))
    await by_two(api, "requeue")
    await journal(api, letter("operation", operation_id))
    row = await api.seed.rows.fetchrow("SELECT status, attempts FROM chain.dead_letters")
    assert row is not None
    assert (row["status"], row["attempts"]) == ("open", 2)
    number = await api.seed.value("SELECT dead_letter_id FROM chain.dead_letters")
    async with api.as_actor(await api.seed.user("tokenization_agent")) as client:
        first = await client.post(f"/v1/chain/dead-letters/{number}:requeue", json={"reason": "once more"})
    assert (first.status_code, first.json()["status"]) == (202, "proposed")
    assert (await by_two(api, "requeue")).status_code in (200, 409)
    assert len(await handed_over(api)) == 2


async def test_discarded_letter_stays_closed(api: Api) -> None:
    await journal(api, letter("drift", "drift:2026-01-01:x"))
    await by_two(api, "discard")
    await journal(api, letter("drift", "drift:2026-01-01:x"))
    assert await api.seed.value("SELECT status FROM chain.dead_letters") == "discarded"
