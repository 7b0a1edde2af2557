"""The chain service's journal: what is sent twice counts once, what contradicts is refused, and a stale epoch never writes."""

from typing import Any

import pytest

from tests.api.builders import CHAIN_ID, address
from tests.api.in_process import Api

Body = dict[str, Any]


@pytest.fixture
async def operation_id(api: Api) -> str:
    await api.seed.lease(f"chain:{CHAIN_ID}", 3)
    return await api.seed.operation("subscription:sub_1")


def signed(operation_id: str, *, step: str = "mint", nonce: int = 0, tx_hash: str = "0x" + "ab" * 32) -> Body:
    return {
        "op": "signed", "tx_id": f"{operation_id}:{step}", "operation_id": operation_id, "step": step, "from_address": address(1),
        "to_address": address(2), "nonce": nonce, "tx_hash": tx_hash, "raw": "0x02f8",
    }  # fmt: skip


async def journal(api: Api, *records: Body, epoch: int = 3) -> Any:
    async with api.service("chain") as chain:
        return await chain.post(
            "/internal/chain/journal", json={"epoch": epoch, "chain_id": CHAIN_ID, "records": list(records)}
        )


async def get(api: Api, path: str) -> Any:
    async with api.service("chain") as chain:
        answer = await chain.get(f"/internal/chain/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_signed_bytes_come_back_with_their_open_operation(api: Api, operation_id: str) -> None:
    assert (await journal(api, signed(operation_id))).status_code == 200
    operations = (await get(api, f"operations?chain_id={CHAIN_ID}&state=open"))["operations"]
    assert operations[0]["operation_id"] == operation_id
    assert operations[0]["transactions"][0]["raw"] == "0x02f8"
    assert operations[0]["transactions"][0]["state"] == "signed"
    assert await get(api, f"nonces?chain_id={CHAIN_ID}") == {address(1): 0}


async def test_sending_a_record_again_changes_nothing(api: Api, operation_id: str) -> None:
    for _ in range(2):
        answer = await journal(
            api, signed(operation_id), {"op": "tx_state", "tx_id": f"{operation_id}:mint", "state": "broadcast"}
        )
        assert answer.status_code == 200
    assert await api.seed.value("SELECT count(*) FROM chain.transactions") == 1


@pytest.mark.parametrize("change", [{"step": "other"}, {"tx_hash": "0x" + "cd" * 32}])
async def test_second_transaction_on_a_nonce_is_refused(api: Api, operation_id: str, change: Body) -> None:
    await journal(api, signed(operation_id))
    answer = await journal(api, signed(operation_id, **change))
    assert answer.status_code == 409
    assert answer.json()["code"] == "chain.nonce_taken"


async def test_refused_record_takes_its_whole_request_back(api: Api, operation_id: str) -> None:
    await journal(api, signed(operation_id))
    await journal(
        api,
        {"op": "operation", "operation_id": operation_id, "state": "running"},
        signed(operation_id, tx_hash="0x" + "cd" * 32),
    )
    assert await api.seed.value("SELECT state FROM chain.operations") == "queued"


@pytest.mark.parametrize("epoch", [2, 4])
async def test_wrong_epoch_is_refused(api: Api, operation_id: str, epoch: int) -> None:
    answer = await journal(api, signed(operation_id), epoch=epoch)
    assert answer.status_code == 409
    assert answer.json()["code"] == "lease.stale_epoch"
    assert await api.seed.value("SELECT count(*) FROM chain.transactions") == 0


async def test_transaction_of_an_unknown_operation_is_refused(api: Api, operation_id: str) -> None:
    answer = await journal(api, signed("op_nowhere"))
    assert answer.json()["code"] == "operation.not_found"


async def test_final_operation_stays_final(api: Api, operation_id: str) -> None:
    await journal(
        api, {"op": "operation", "operation_id": operation_id, "state": "final", "result": {"token": address(9)}}
    )
    await journal(api, {"op": "operation", "operation_id": operation_id, "state": "running"})
    found = await get(api, f"operations/{operation_id}")
    assert (found["state"], found["result"]) == ("final", {"token": address(9)})


async def test_mined_transaction_taken_back_loses_its_block(api: Api, operation_id: str) -> None:
    tx_id = f"{operation_id}:mint"
    mined = {
        "op": "tx_state",
        "tx_id": tx_id,
        "state": "mined",
        "block_number": 5,
        "block_hash": "0xaa",
        "gas_used": 21000,
    }
    await journal(api, signed(operation_id), mined)
    await journal(api, {"op": "tx_state", "tx_id": tx_id, "state": "broadcast"})
    transaction = (await get(api, f"operations/{operation_id}"))["transactions"][0]
    assert (transaction["state"], transaction["block_number"]) == ("broadcast", None)


async def test_older_observation_never_replaces_a_newer_one(api: Api, operation_id: str) -> None:
    for second, head in ((2, 20), (1, 10)):
        await journal(
            api,
            {
                "op": "monitoring", "status": "ok", "head_number": head, "head_hash": "0x1", "finalized_number": head - 2,
                "observed_at": f"2026-01-01T00:00:0{second}Z",
            },
        )  # fmt: skip
    assert await api.seed.value("SELECT head_number FROM chain.monitoring") == 20


async def test_contracts_are_kept_by_name(api: Api, operation_id: str) -> None:
    contract = {
        "op": "contract",
        "name": "Settlement",
        "address": address(7).upper().replace("0X", "0x"),
        "detail": {"block": 3},
    }
    await journal(api, contract)
    assert (await get(api, f"contracts?chain_id={CHAIN_ID}"))["contracts"] == [
        {"name": "Settlement", "address": address(7), "detail": {"block": 3}}
    ]


@pytest.mark.parametrize("caller", ["matcher", "kyt"])
async def test_only_the_chain_service_journals(api: Api, caller: str) -> None:
    async with api.service(caller) as client:
        answer = await client.post("/internal/chain/journal", json={"epoch": 1, "chain_id": 1, "records": []})
    assert answer.status_code == 403
