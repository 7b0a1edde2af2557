"""The chain service with its keys elsewhere: the same work over each backend, chosen by the environment alone."""

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.signers.fireblocks_stub import signed_headers, webhook
from tests.signers.secrecy import forms_of, memory_of
from tests.signers.stages import BACKENDS, KEYS, Stage, stage
from tests.support.servers import ServiceKeys, ValkeyServer

pytestmark = pytest.mark.stack

WEBHOOK = "/v1/webhooks/fireblocks"


@pytest.fixture(scope="module", params=BACKENDS)
def on(request: pytest.FixtureRequest, service_keys: ServiceKeys, valkey: ValkeyServer) -> Iterator[Stage]:
    with stage(request.param, service_keys, valkey) as running:
        yield running


def receiver(number: int) -> str:
    return f"0x{0xAB << 152 | number:040x}"


async def test_each_intent_is_executed_once_whoever_holds_the_key(on: Stage) -> None:
    mined = await on.mined()
    sent = [await on.pay(receiver(n), 10 + n, key=f"once-{n}") for n in range(4)]
    assert await on.pay(receiver(0), 10, key="once-0") == sent[0]
    rows = [await on.until_state(tx_id, "final") for tx_id in sent]
    assert [await on.balance(receiver(n)) for n in range(4)] == [10, 11, 12, 13]
    assert sorted(row["nonce"] for row in rows) == list(range(mined, mined + 4))
    assert await on.mined() == mined + 4


async def test_claims_and_addresses_come_from_the_same_keys(on: Stage) -> None:
    from eth_account import Account  # only here

    assert await on.stack.address("claim-issuer") == str(Account.from_key(KEYS["claim-issuer"]).address).lower()


async def test_health_names_the_signer(on: Stage) -> None:
    answer = await on.http.get("/health/ready")
    told = answer.json()["dependencies"]["signer"]
    assert (answer.status_code, told["status"]) == (200, "ok")
    assert told["detail"].startswith(f"{on.backend}: ")


async def test_webhook_gets_in_without_a_token_only_where_it_belongs_and_only_genuine(on: Stage) -> None:
    body = webhook("nothing-we-know")
    async with httpx.AsyncClient(base_url=on.stack.url, timeout=20) as stranger:
        genuine = await stranger.post(WEBHOOK, content=body, headers=signed_headers(body))
        forged = await stranger.post(WEBHOOK, content=body, headers=signed_headers(b"another"))
        bare = await stranger.post(WEBHOOK, content=body)
    if on.backend != "fireblocks":
        assert {answer.status_code for answer in (genuine, forged, bare)} == {409}
        assert genuine.json()["code"] == "signer.other_backend"
        return
    assert (genuine.status_code, genuine.json()) == (200, {"jobs": 0})
    for answer in (forged, bare):
        assert (answer.status_code, answer.json()["code"]) == (401, "signer.forged_webhook")
        assert answer.headers["content-type"] == "application/problem+json"


async def test_killed_with_signatures_under_way_executes_each_once(on: Stage) -> None:
    """With people who decide: all of them undecided. The same bytes are asked for again under the same names."""
    is_slow = on.backend == "fireblocks"
    if is_slow:
        on.stub.hold = "PENDING_AUTHORIZATION"
    sent = [await on.pay(receiver(100 + n), 10 + n, key=f"killed-{n}") for n in range(3)]
    if is_slow:
        await on.stack.until(lambda: all(f"{tx_id}:1" in on.stub.transactions for tx_id in sent), "the requests")
        assert [on.row(tx_id)["state"] for tx_id in sent] == ["signing"] * 3
    asked = set(on.stub.transactions) if is_slow else set[str]()
    await on.killed_and_restarted()
    if is_slow:
        on.stub.hold = None
    sent.append(await on.pay(receiver(103), 13, key="killed-3"))
    rows = [await on.until_state(tx_id, "final") for tx_id in sent]
    assert [await on.balance(receiver(100 + n)) for n in range(4)] == [10, 11, 12, 13]
    assert len({row["nonce"] for row in rows}) == 4
    assert sorted({row["nonce"] for row in on.stack.state.transactions.values() if row["nonce"] is not None}) == list(
        range(await on.mined())
    )
    if is_slow:
        assert set(on.stub.transactions) == asked | {f"{sent[3]}:1"}


@pytest.mark.parametrize("on", ["fireblocks"], indirect=True)
async def test_webhook_wakes_what_waits_and_a_rejection_leaves_no_gap(on: Stage) -> None:
    on.stub.hold = "PENDING_AUTHORIZATION"
    before = await on.mined()
    refused, later = [await on.pay(receiver(200 + n), 20 + n, key=f"refused-{n}") for n in range(2)]
    await on.stack.until(
        lambda: all(f"{tx_id}:1" in on.stub.transactions for tx_id in (refused, later)), "the requests"
    )
    on.stub.outcomes[f"{later}:1"] = "COMPLETED"
    body = webhook(f"{later}:1", status="REJECTED")  # a lie, and only a hint anyway
    for _ in range(3):
        answer = await on.http.post(WEBHOOK, content=body, headers=signed_headers(body))
        assert (answer.status_code, answer.json()) == (200, {"jobs": 1})
    await on.until_state(later, "signed")
    on.stub.outcomes[f"{refused}:1"] = "REJECTED"
    assert (await on.until_state(refused, "sign_rejected"))["nonce"] is None
    on.stub.hold = None
    await on.until_state(later, "final")
    assert [await on.balance(receiver(200 + n)) for n in range(2)] == [0, 21]
    assert on.stack.state.transactions[f"{refused}.fill"]["nonce"] == before
    assert on.row(later)["nonce"] == before + 1
    answer = await on.http.get("/v1/signers/platform/nonce", params={"chain_id": 31337})
    assert answer.json()["gaps"] == []


async def test_no_process_but_the_key_holder_ever_has_a_key(on: Stage) -> None:
    """Environment, command line and names of memory maps of every process, and what the service logs, shows and keeps in memory."""
    await on.until_state(await on.pay(receiver(300), 5, key="secrecy"), "final")
    forms = {form for name, secret in on.secrets.items() if name in ("seed", "platform") for form in forms_of(secret)}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) == os.getpid():
            continue  # this test wrote the keys and knows them
        for name in ("environ", "cmdline", "maps", "comm"):
            try:
                content = (folder / name).read_bytes()
            except OSError:
                continue  # it has ended
            assert not [form for form in forms if form in content], f"{folder}/{name}"
    told = (
        on.stack.service.log.read_bytes()
        + (await on.http.get("/metrics")).content
        + (await on.http.get("/health/ready")).content
    )
    assert b"tokenx_signer_seconds" in told
    assert not [form for form in forms if form in told]
    memory = memory_of(on.stack.service.process.pid)
    assert (await on.stack.address("platform"))[2:].encode() in memory, "the search finds what is there"
    assert not [form for form in forms if form in memory]
