"""What only Fireblocks does: people who say no, answers that get lost, webhooks of friends and strangers."""

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from eth_account import Account
from structlog.testing import capture_logs

from tests.signers.benches import Bench, fireblocks_bench, fireblocks_settings, private
from tests.signers.builders import ADDRESSES, a_job, a_request, a_transaction, typed_data
from tests.signers.fireblocks_stub import STEPS, TX_HASH, WEBHOOK_KEY, FireblocksStub, pem, signed_headers, webhook
from tests.signers.http_stub import Fault
from tokenx_chain.signers.assembler import assemble_message, assemble_transaction
from tokenx_chain.signers.desk import SigningDesk
from tokenx_chain.signers.errors import (
    BadAnswer,
    ForgedWebhook,
    SignerConfigError,
    SignerRefused,
    SignerUnavailable,
    SignExpired,
    SignRejected,
    WrongSignature,
)
from tokenx_chain.signers.fireblocks.signer import open_fireblocks
from tokenx_chain.signers.fireblocks.statuses import DEAD, PENDING, job_of
from tokenx_chain.signers.jobs import ContractCallRequest, MessageRequest, SignState, TypedDataRequest


@pytest.fixture(scope="module")
async def shared() -> AsyncGenerator[Bench]:
    async with fireblocks_bench(fireblocks_contract_call_assets="1=ETH") as bench:
        yield bench


@pytest.fixture
def bench(shared: Bench) -> Bench:
    shared.stub.reset()
    return shared


def posts(bench: Bench) -> int:
    return sum(request.method == "POST" and request.path == "/v1/transactions" for request in bench.stub.requests)


async def test_job_passes_every_status_and_is_pending_until_the_last(bench: Bench) -> None:
    request = a_request()
    states = [(await bench.signer.submit(request)).state]
    states += [(await bench.signer.poll(request.job_id)).state for _ in STEPS[1:]]
    assert states == [SignState.PENDING] * 3 + [SignState.SIGNED]
    assert bench.stub.transactions[request.job_id].log == list(STEPS[1:])


async def test_request_says_what_it_is_for(bench: Bench) -> None:
    request = a_request(intent_id="op_1:mint", policy_context=(("operation", "token.mint"), ("units", "100")))
    await bench.signer.submit(request)
    sent = bench.stub.transactions[request.job_id].request
    assert sent["note"] == "intent: op_1:mint; operation: token.mint; units: 100"
    assert (sent["operation"], sent["source"]) == ("RAW", {"type": "VAULT_ACCOUNT", "id": "3"})
    (message,) = sent["extraParameters"]["rawMessageData"]["messages"]
    assert message == {"content": request.digest.hex()}


async def test_typed_data_and_messages_are_readable_for_who_approves(bench: Bench) -> None:
    typed = TypedDataRequest(job_id=a_job(), key_ref="platform", typed_data=typed_data())
    await bench.signer.sign_typed_data(typed)
    sent = bench.stub.transactions[typed.job_id].request
    assert sent["operation"] == "TYPED_MESSAGE"
    assert sent["extraParameters"]["rawMessageData"]["messages"] == [{"content": typed_data(), "type": "EIP712"}]
    message = MessageRequest(job_id=a_job(), key_ref="platform", message=b"hi")
    await bench.signer.sign_message(message)
    sent = bench.stub.transactions[message.job_id].request
    assert sent["extraParameters"]["rawMessageData"]["messages"] == [{"content": "6869", "type": "EIP191"}]


async def test_numbers_in_typed_data_survive_readers_with_floating_point(bench: Bench) -> None:
    request = TypedDataRequest(job_id=a_job(), key_ref="platform", typed_data=typed_data(units=2**255 + 1))
    job = await bench.ended(await bench.signer.sign_typed_data(request))
    sent = bench.stub.transactions[request.job_id].request["extraParameters"]["rawMessageData"]["messages"][0][
        "content"
    ]
    assert sent["message"]["units"] == str(2**255 + 1)
    assert job.signature is not None
    assemble_message(request.digest, job.signature, address=ADDRESSES["platform"])


@pytest.mark.parametrize(
    ("outcome", "sub_status"),
    [
        ("REJECTED", "REJECTED_BY_USER"),
        ("BLOCKED", "BLOCKED_BY_POLICY"),
        ("FAILED", "SIGNING_ERROR"),
        ("CANCELLED", ""),
    ],
)
async def test_refusal_by_people_or_policy_is_final_and_says_why(bench: Bench, outcome: str, sub_status: str) -> None:
    bench.stub.outcome, bench.stub.sub_status = outcome, sub_status
    job = await bench.ended(await bench.signer.submit(a_request()))
    assert (job.state, job.signature, job.reason) == (SignState.REJECTED, None, f"{outcome} {sub_status}".strip())


@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "429", "500"])
async def test_lost_answer_never_makes_a_second_transaction(bench: Bench, fault: Fault) -> None:
    before, sent = len(bench.stub.transactions), posts(bench)
    bench.stub.faults["POST"].append(fault)
    request = a_request()
    job = await bench.ended(await bench.signer.submit(request))
    assert job.state is SignState.SIGNED
    assert len(bench.stub.transactions) == before + 1
    # An answer that got lost is found by reading; only what never arrived is sent again.
    assert posts(bench) - sent == (2 if fault in ("429", "500") else 1)


async def test_every_answer_lost_is_unavailable_and_still_one_transaction(bench: Bench) -> None:
    before = len(bench.stub.transactions)
    bench.stub.faults["POST"].extend(["drop_after"] * 3)
    bench.stub.faults["GET"].extend(["500"] * 9)
    request = a_request()
    with pytest.raises(SignerUnavailable):
        await bench.signer.submit(request)
    bench.stub.reset()
    job = await bench.ended(await bench.signer.submit(request))
    assert (job.state, len(bench.stub.transactions)) == (SignState.SIGNED, before + 1)


@pytest.mark.parametrize("faults", [["429"], ["500", "drop_before"], ["drop_after", "429"]])
async def test_reading_survives_a_bad_moment(bench: Bench, faults: list[Fault]) -> None:
    request = a_request()
    await bench.signer.submit(request)
    bench.stub.faults["GET"].extend(faults)
    assert (await bench.signer.poll(request.job_id)).state is SignState.PENDING


async def test_answer_that_is_no_transaction_is_a_bad_answer(bench: Bench) -> None:
    request = a_request()
    await bench.signer.submit(request)
    bench.stub.faults["GET"].append("garbage")
    with pytest.raises(BadAnswer):
        await bench.signer.poll(request.job_id)


async def test_mistake_of_ours_is_refused_not_taken_for_a_repeat(bench: Bench) -> None:
    with pytest.raises(SignerRefused, match="1427"):
        await bench.signer.submit(a_request(intent_id="malformed"))


async def test_wrong_api_key_is_unavailable_and_an_error_for_people(bench: Bench, tmp_path: Path) -> None:
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    settings = fireblocks_settings(
        bench.stub, tmp_path, fireblocks_secret_key_file=private(tmp_path / "other.pem", pem(other))
    )
    async with open_fireblocks(settings, clock=bench.clock, first_pause_s=0.01) as signer:
        with capture_logs() as logs, pytest.raises(SignerUnavailable, match="401"):
            await signer.submit(a_request())
        assert [line["log_level"] for line in logs if line["event"] == "fireblocks.not_allowed"] == ["error"]
        assert not (await signer.health()).ok


async def test_each_token_is_fresh_and_bound_to_its_request(bench: Bench) -> None:
    start = len(bench.stub.requests)
    await bench.ended(await bench.signer.submit(a_request()))
    tokens = [request.headers["authorization"].removeprefix("Bearer ") for request in bench.stub.requests[start:]]
    claims = [jwt.decode(token, options={"verify_signature": False}) for token in tokens]
    assert len({claim["nonce"] for claim in claims}) == len(claims) == len(STEPS)
    assert all(claim["exp"] - claim["iat"] == 55 for claim in claims)


async def test_replayed_or_altered_request_is_turned_away_by_the_stand_in(bench: Bench) -> None:
    """The stand-in must be strict, or the tests above show nothing."""
    await bench.signer.submit(a_request())
    good = next(request for request in reversed(bench.stub.requests) if request.method == "POST")
    assert bench.stub.answer(good).status == 401
    for change in (
        {"path": "/v1/other"},
        {"body": good.body + b" "},
        {"headers": dict(good.headers) | {"x-api-key": "someone"}},
    ):
        altered = type(good)(
            **({"method": good.method, "path": good.path, "headers": good.headers, "body": good.body} | change)
        )
        assert bench.stub.answer(altered).status == 401


async def test_signature_by_another_vault_is_never_assembled(bench: Bench) -> None:
    bench.stub.signs_with = {"3": "4"}
    with pytest.raises(WrongSignature):
        await SigningDesk(bench.signer, poll_s=0.01).sign_transaction("platform", a_transaction(nonce=41))


async def test_deadline_ends_a_job_only_once_fireblocks_says_so(bench: Bench) -> None:
    bench.stub.hold, bench.stub.refuses_cancel = "PENDING_AUTHORIZATION", True
    request = a_request(deadline=bench.clock.now() + timedelta(seconds=5))
    await bench.signer.submit(request)
    assert (await bench.signer.poll(request.job_id)).state is SignState.PENDING
    bench.pass_by(6)
    # Time alone proves nothing: they might still sign.
    assert (await bench.signer.poll(request.job_id)).state is SignState.PENDING
    bench.stub.refuses_cancel = False
    job = await bench.signer.poll(request.job_id)
    assert (job.state, job.reason) == (SignState.EXPIRED, "CANCELLED")
    assert (await bench.signer.submit(request)).state is SignState.EXPIRED


async def test_approval_after_the_deadline_is_a_signature_all_the_same(bench: Bench) -> None:
    bench.stub.refuses_cancel = True
    request = a_request(deadline=bench.clock.now() + timedelta(seconds=5))
    await bench.signer.submit(request)
    bench.pass_by(6)
    job = await bench.ended(await bench.signer.poll(request.job_id))
    assert job.state is SignState.SIGNED


async def test_cancel_ends_a_pending_job(bench: Bench) -> None:
    bench.stub.hold = "PENDING_AUTHORIZATION"
    request = a_request()
    await bench.signer.submit(request)
    job = await bench.signer.cancel(request.job_id)
    assert (job.state, job.reason) == (SignState.REJECTED, "CANCELLED")


@pytest.mark.parametrize("status", sorted(PENDING | {"SOMETHING_NEW"}))
def test_status_that_is_not_known_to_be_final_is_pending(status: str) -> None:
    assert job_of("j", {"id": "fb-1", "status": status}).state is SignState.PENDING


@pytest.mark.parametrize("status", sorted(DEAD))
def test_signature_that_exists_outweighs_a_dead_status(status: str) -> None:
    """Bytes that somebody has may be used: the nonce must not go to another intent."""
    signed = {"signature": {"r": "01" * 32, "s": "02" * 32, "v": 28}}
    job = job_of("j", {"id": "fb-1", "status": status, "signedMessages": [signed]})
    assert job.state is SignState.SIGNED
    assert job.signature is not None
    assert job.signature.y_parity == 1


@pytest.mark.parametrize(
    "body",
    [{}, {"id": "fb-1"}, {"status": "COMPLETED"}, {"id": "fb-1", "status": "COMPLETED"}, {"id": 5, "status": "COMPLETED"},
     {"id": "fb-1", "status": "COMPLETED", "signedMessages": []}, {"id": "fb-1", "status": "COMPLETED", "signedMessages": [{"signature": {"r": "zz"}}]}],
    ids=str,
)  # fmt: skip
def test_transaction_without_what_it_must_have_is_a_bad_answer(body: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        job_of("j", body)


async def test_contract_call_is_sent_by_them_and_ends_with_a_hash(bench: Bench) -> None:
    request = ContractCallRequest(
        job_id=a_job(), key_ref="platform", chain_id=1, to="0x" + "11" * 20, data=b"\x40\xc1", value_wei=15 * 10**17
    )
    job = await bench.ended(await bench.signer.submit_contract_call(request))
    assert (job.state, job.tx_hash, job.signature) == (SignState.SIGNED, TX_HASH, None)
    sent = bench.stub.transactions[request.job_id].request
    assert (sent["amount"], sent["extraParameters"]["contractCallData"]) == ("1.5", "0x40c1")
    assert sent["destination"] == {"type": "ONE_TIME_ADDRESS", "oneTimeAddress": {"address": request.to}}


async def test_desk_waits_for_approval_and_assembles(bench: Bench) -> None:
    desk = SigningDesk(bench.signer, poll_s=0.01)
    done = await desk.sign_transaction("platform", a_transaction(nonce=77), attempt_id=a_job())
    assert str(Account.recover_transaction(done.raw)).lower() == ADDRESSES["platform"]


async def test_desk_out_of_patience_goes_on_with_the_same_job(bench: Bench) -> None:
    bench.stub.hold = "PENDING_AUTHORIZATION"
    desk = SigningDesk(bench.signer, poll_s=0.01, patience_s=0.05)
    before = len(bench.stub.transactions)
    with pytest.raises(SignerUnavailable, match="not decided yet"):
        await desk.sign_transaction("platform", a_transaction(nonce=78))
    bench.stub.hold = None
    await SigningDesk(bench.signer, poll_s=0.01).sign_transaction("platform", a_transaction(nonce=78))
    assert len(bench.stub.transactions) == before + 1


async def test_desk_raises_what_became_of_the_job(bench: Bench) -> None:
    bench.stub.outcome = "BLOCKED"
    desk = SigningDesk(bench.signer, poll_s=0.01)
    with pytest.raises(SignRejected, match="BLOCKED"):
        await desk.sign_transaction("platform", a_transaction(nonce=79))
    with pytest.raises(SignExpired):
        await desk.sign_transaction("platform", a_transaction(nonce=80), deadline=bench.clock.now())


# --- webhooks -------------------------------------------------------------------------------------------------------


async def test_webhook_wakes_who_waits(bench: Bench) -> None:
    bench.stub.hold = "PENDING_AUTHORIZATION"
    desk = SigningDesk(bench.signer, poll_s=60, patience_s=20)
    job_id = a_job()
    waiting = asyncio.create_task(desk.sign_transaction("platform", a_transaction(nonce=81), attempt_id=job_id))
    async with asyncio.timeout(10):
        while job_id not in bench.stub.transactions:
            await asyncio.sleep(0.01)
    bench.stub.hold = None
    raw = webhook(job_id)
    for _ in range(4):
        assert await desk.on_webhook(signed_headers(raw), raw) == 1
    done = await asyncio.wait_for(waiting, 10)
    assert done.raw[0] == 2


async def test_webhook_is_a_hint_and_never_proof(bench: Bench) -> None:
    bench.stub.hold = "PENDING_AUTHORIZATION"
    request = a_request()
    await bench.signer.submit(request)
    lie: dict[str, Any] = {"signedMessages": [{"signature": {"r": "01" * 32, "s": "02" * 32, "v": 0}}]}
    raw = webhook(request.job_id, **lie)
    (job,) = await bench.signer.on_webhook(signed_headers(raw), raw)
    assert (job.state, job.signature) == (SignState.PENDING, None)


async def test_webhook_twice_is_harmless(bench: Bench) -> None:
    request = a_request()
    await bench.ended(await bench.signer.submit(request))
    raw = webhook(request.job_id)
    first, second = [await bench.signer.on_webhook(signed_headers(raw), raw) for _ in range(2)]
    assert first == second
    signature = first[0].signature
    assert signature is not None
    assemble_transaction(request.transaction, signature, address=ADDRESSES["platform"])


@pytest.mark.parametrize("job_id", [None, "not-ours", "../../x"])
async def test_webhook_about_something_else_is_no_job(bench: Bench, job_id: str | None) -> None:
    raw = webhook(job_id)
    assert await bench.signer.on_webhook(signed_headers(raw), raw) == []


def _forgeries() -> dict[str, tuple[dict[str, str], bytes]]:
    raw = webhook("x")
    stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = "Fireblocks-Webhook-Signature"
    good = signed_headers(raw)[name]
    head, _, signature = good.partition("..")
    unsigned = jwt.PyJWS().encode(raw, "", algorithm="none", headers={"kid": "webhook-key-2026-01"}).split(".")[0]
    shared = jwt.PyJWS().encode(raw, "k" * 64, algorithm="HS512", headers={"kid": "webhook-key-2026-01"}).split(".")
    return {
        "no header": ({}, raw),
        "legacy header only": ({"Fireblocks-Signature": "abcd"}, raw),
        "other body": ({name: good}, raw + b" "),
        "other key": (signed_headers(raw, key=stranger), raw),
        "unknown key id": (signed_headers(raw, key=stranger, key_id="evil"), raw),
        "weaker algorithm": (signed_headers(raw, alg="RS256"), raw),
        "no algorithm": ({name: f"{unsigned}..{signature}"}, raw),
        "shared secret": ({name: f"{shared[0]}..{shared[2]}"}, raw),
        "not detached": ({name: f"{head}.e30.{signature}"}, raw),
        "no signature": ({name: f"{head}.."}, raw),
        "nonsense": ({name: "a..b"}, raw),
        "huge header": ({name: "a" * 9000 + "..b"}, raw),
        "huge body": (signed_headers(b"x"), b"x" * (1024 * 1024 + 1)),
        "signed, not json": (signed_headers(b"hello"), b"hello"),
        "signed, not an object": (signed_headers(b"[]"), b"[]"),
    }


@pytest.mark.parametrize("kind", sorted(_forgeries()))
async def test_forged_webhook_counts_nothing(bench: Bench, kind: str) -> None:
    headers, raw = _forgeries()[kind]
    looks = sum("external_tx_id" in request.path for request in bench.stub.requests)
    with pytest.raises(ForgedWebhook):
        await bench.signer.on_webhook(headers, raw)
    assert sum("external_tx_id" in request.path for request in bench.stub.requests) == looks


async def test_strange_key_ids_do_not_make_us_ask_again_and_again(bench: Bench) -> None:
    raw = webhook("x")
    bench.pass_by(120)
    before = sum("jwks" in request.path for request in bench.stub.requests)
    for n in range(10):
        with pytest.raises(ForgedWebhook):
            await bench.signer.on_webhook(signed_headers(raw, key_id=f"evil-{n}"), raw)
    assert sum("jwks" in request.path for request in bench.stub.requests) - before <= 1


async def test_new_webhook_key_is_found(bench: Bench) -> None:
    fresh = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    bench.stub.published["webhook-key-2027-01"] = fresh
    bench.pass_by(61)
    raw = webhook(None)
    assert await bench.signer.on_webhook(signed_headers(raw, key=fresh, key_id="webhook-key-2027-01"), raw) == []
    assert await bench.signer.on_webhook(signed_headers(raw, key=WEBHOOK_KEY), raw) == []


async def test_webhook_keys_out_of_reach_is_unavailable_so_that_they_send_it_again(
    bench: Bench, tmp_path: Path
) -> None:
    async with open_fireblocks(
        fireblocks_settings(bench.stub, tmp_path), clock=bench.clock, first_pause_s=0.01
    ) as signer:
        bench.stub.faults["GET"].append("500")
        raw = webhook("x")
        with pytest.raises(SignerUnavailable, match="webhook keys"):
            await signer.on_webhook(signed_headers(raw), raw)


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"fireblocks_api_key": None}, "FIREBLOCKS_API_KEY is missing"),
        ({"fireblocks_vaults": ""}, "FIREBLOCKS_VAULTS is missing"),
        ({"fireblocks_secret_key_file": None}, "FIREBLOCKS_SECRET_KEY_FILE is missing"),
        ({"fireblocks_secret_key_file": Path("/nonexistent/x.pem")}, "FIREBLOCKS_SECRET_KEY_FILE: No such file"),
        ({"fireblocks_base_url": "http://api.fireblocks.io"}, "FIREBLOCKS_BASE_URL must be an https address"),
        ({"fireblocks_jwks_url": "ftp://keys"}, "FIREBLOCKS_JWKS_URL must be an https address"),
        ({"tokenx_env": "prod"}, "FIREBLOCKS_BASE_URL must be an https address"),
    ],
    ids=str,
)  # fmt: skip
async def test_bad_configuration_names_its_variable(
    bench: Bench, tmp_path: Path, change: dict[str, Any], wanted: str
) -> None:
    with pytest.raises(SignerConfigError, match=wanted):
        async with open_fireblocks(fireblocks_settings(bench.stub, tmp_path, **change)):
            pass


@pytest.mark.parametrize(("content", "mode"), [(b"nonsense", 0o600), (b"", 0o600), (pem(WEBHOOK_KEY), 0o644)])
async def test_bad_secret_file_names_its_variable(bench: Bench, tmp_path: Path, content: bytes, mode: int) -> None:
    path = private(tmp_path / "bad.pem", content)
    path.chmod(mode)
    with pytest.raises(SignerConfigError, match="FIREBLOCKS_SECRET_KEY_FILE"):
        async with open_fireblocks(fireblocks_settings(bench.stub, tmp_path, fireblocks_secret_key_file=path)):
            pass


def test_stand_in_signs_what_the_description_says() -> None:
    """The events it sends are JSON objects with the fields of their second version."""
    assert set(json.loads(webhook("x"))) >= {
        "id",
        "eventType",
        "eventVersion",
        "resourceId",
        "data",
        "createdAt",
        "workspaceId",
    }
    assert FireblocksStub({}).transactions == {}
