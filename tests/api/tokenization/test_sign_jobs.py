"""Signatures that take long, in the journal: a nonce that is being signed for is nobody else's until there is proof of a refusal."""

from typing import Any

import pytest

from tests.api.builders import CHAIN_ID, address
from tests.api.in_process import Api
from tests.api.tokenization.test_chain_journal import get, journal, signed

Body = dict[str, Any]


@pytest.fixture
async def operation_id(api: Api) -> str:
    await api.seed.lease(f"chain:{CHAIN_ID}", 3)
    return await api.seed.operation("subscription:sub_1")


def signing(operation_id: str, *, step: str = "mint", nonce: int = 0, **changes: Any) -> Body:
    fields = {"to": address(2), "value": 10**20, "data": "0x0102", "gas": 21000, "max_fee": 2 * 10**9, "max_tip": 10**9}
    return {
        "op": "signing", "job_id": f"{operation_id}:{step}:1", "tx_id": f"{operation_id}:{step}", "operation_id": operation_id, "step": step,
        "attempt": 1, "kind": "initial", "from_address": address(1), "key_ref": "platform", "nonce": nonce, "fields": fields,
    } | changes  # fmt: skip


def refused(operation_id: str, *, step: str = "mint") -> list[Body]:
    ended = {"op": "sign_ended", "job_id": f"{operation_id}:{step}:1", "state": "released", "reason": "signer.rejected"}
    intent = {
        "op": "intent", "tx_id": f"{operation_id}:{step}", "operation_id": operation_id, "step": step, "from_address": address(1),
        "to_address": address(2), "key_ref": "platform", "state": "sign_rejected", "reason": "signer.rejected",
    }  # fmt: skip
    return [ended, intent]


async def jobs(api: Api) -> list[Body]:
    return (await get(api, f"sign-jobs?chain_id={CHAIN_ID}"))["jobs"]


async def state(api: Api, operation_id: str, step: str = "mint") -> str:
    return await api.seed.value("SELECT state FROM chain.transactions WHERE tx_id = $1", f"{operation_id}:{step}")


async def test_what_is_being_signed_comes_back_exactly_and_binds_its_nonce(api: Api, operation_id: str) -> None:
    for _ in range(2):
        assert (await journal(api, signing(operation_id, nonce=7))).status_code == 200
    (job,) = await jobs(api)
    assert job["fields"] | signing(operation_id)["fields"] == job["fields"]
    assert (job["state"], job["nonce"], job["step"], job["operation_id"]) == ("open", 7, "mint", operation_id)
    assert await get(api, f"nonces?chain_id={CHAIN_ID}") == {address(1): 7}
    assert await state(api, operation_id) == "signing"


async def test_nonce_that_is_being_signed_serves_no_other_intent(api: Api, operation_id: str) -> None:
    await journal(api, signing(operation_id))
    for other in (signing(operation_id, step="other"), signed(operation_id, step="other")):
        answer = await journal(api, other)
        assert (answer.status_code, answer.json()["code"]) == (409, "chain.nonce_taken")
    bound = await journal(
        api, signed(operation_id, step="first", nonce=1), signing(operation_id, step="second", nonce=1)
    )
    assert (bound.status_code, bound.json()["code"]) == (409, "chain.nonce_taken")


async def test_job_used_for_something_else_is_refused(api: Api, operation_id: str) -> None:
    await journal(api, signing(operation_id))
    changed = signing(operation_id) | {"fields": signing(operation_id)["fields"] | {"value": 1}}
    assert (await journal(api, changed)).json()["code"] == "chain.nonce_taken"


async def test_signature_that_came_ends_the_job(api: Api, operation_id: str) -> None:
    await journal(api, signing(operation_id), signed(operation_id))
    assert await jobs(api) == []
    assert await state(api, operation_id) == "signed"
    assert await api.seed.value("SELECT state FROM chain.sign_jobs") == "signed"


async def test_proof_of_a_refusal_frees_the_nonce_and_shows_the_gap(api: Api, operation_id: str) -> None:
    await journal(api, signing(operation_id), *refused(operation_id))
    assert await state(api, operation_id) == "sign_rejected"
    assert [(job["state"], job["nonce"]) for job in await jobs(api)] == [("released", 0)]
    assert await get(api, f"nonces?chain_id={CHAIN_ID}") == {}
    assert (await journal(api, signing(operation_id, step="next"))).status_code == 200
    assert [job["step"] for job in await jobs(api)] == ["next"]


async def test_what_is_being_signed_is_not_ended_by_what_was_decided_before(api: Api, operation_id: str) -> None:
    (_, intent) = refused(operation_id)
    await journal(api, signing(operation_id), intent | {"state": "cancelled"})
    assert await state(api, operation_id) == "signing"
    await journal(api, intent | {"state": "signing", "reason": "signer.wrong_signature"})
    assert await api.seed.value("SELECT state_reason FROM chain.transactions") == "signer.wrong_signature"


async def test_replacement_is_taken_up_again_while_its_transaction_goes_on(api: Api, operation_id: str) -> None:
    bump = signing(operation_id, attempt=2, kind="bump", job_id=f"{operation_id}:mint:2")
    await journal(api, signed(operation_id), bump)
    assert [job["kind"] for job in await jobs(api)] == ["bump"]
    assert await state(api, operation_id) == "signed"
    await journal(api, {"op": "tx_state", "tx_id": f"{operation_id}:mint", "state": "final"})
    assert await jobs(api) == []


async def test_transaction_of_a_closed_operation_is_followed_to_its_end(api: Api, operation_id: str) -> None:
    fill = signing(operation_id, step="mint.fill", kind="fill")
    await journal(api, fill, signed(operation_id, step="mint.fill"))
    loose = f"sign-jobs?chain_id={CHAIN_ID}"
    assert (await get(api, loose))["loose"] == []
    await journal(
        api, {"op": "operation", "operation_id": operation_id, "state": "failed", "error_code": "signer.rejected"}
    )
    (entry,) = (await get(api, loose))["loose"]
    assert (entry["tx_id"], entry["attempts"][0]["attempt"]) == (f"{operation_id}:mint.fill", 1)


async def test_what_is_being_signed_counts_under_its_rule(api: Api, operation_id: str) -> None:
    fields = signing(operation_id)["fields"] | {"policy_id": "default.cash", "policy_amount": 7}
    await journal(api, signing(operation_id, fields=fields))
    used = (await get(api, f"policy?chain_id={CHAIN_ID}"))["used"]
    assert [(row["policy_id"], row["amount"], row["count"]) for row in used] == [("default.cash", 7, 1)]
    bytes_of_it = signed(operation_id) | {"policy_id": "default.cash", "policy_amount": 7}
    await journal(api, bytes_of_it)
    assert (await get(api, f"policy?chain_id={CHAIN_ID}"))["used"] == used
