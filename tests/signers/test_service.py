"""The chain service with its keys elsewhere: the same work over each backend, chosen by the environment alone."""

from collections.abc import Iterator

import httpx
import pytest

from tests.signers.fireblocks_stub import signed_headers, webhook
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
