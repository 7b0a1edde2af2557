"""What every backend must do alike. One class, run over the local signer, Fireblocks and AWS KMS."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct, encode_typed_data
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from structlog.testing import capture_logs

from tests.signers.benches import Bench, fireblocks_bench, kms_bench, local_bench
from tests.signers.builders import ADDRESSES, KEYS, a_job, a_request, a_transaction, typed_data
from tokenx_chain.signers.assembler import assemble_message, assemble_transaction
from tokenx_chain.signers.base import UnsignedTransaction
from tokenx_chain.signers.curve import ORDER
from tokenx_chain.signers.errors import (
    ForgedWebhook,
    JobConflict,
    NotSupported,
    SignerRefused,
    SignerUnavailable,
    UnknownJob,
    UnknownKey,
    WrongSignature,
)
from tokenx_chain.signers.jobs import (
    ContractCallRequest,
    MessageRequest,
    SignJob,
    SignRequest,
    SignState,
    TypedDataRequest,
)


class SignerContract:
    """Subclasses give `bench`."""

    async def signed(self, bench: Bench, request: SignRequest) -> SignJob:
        job = await bench.ended(await bench.signer.submit(request))
        assert job.state is SignState.SIGNED, job
        return job

    @pytest.mark.parametrize("key_ref", sorted(KEYS))
    async def test_address_is_the_keys_own_in_lower_case(self, bench: Bench, key_ref: str) -> None:
        assert await bench.signer.address(key_ref) == ADDRESSES[key_ref]
        assert await bench.signer.address(key_ref) == ADDRESSES[key_ref]

    async def test_unknown_key_is_refused(self, bench: Bench) -> None:
        with pytest.raises(UnknownKey):
            await bench.signer.address("nobody")
        with pytest.raises(UnknownKey):
            await bench.signer.submit(a_request(key_ref="nobody"))

    @pytest.mark.parametrize("key_ref", ["", "../platform", "Platform", "a" * 200, "platform@0", "investor:inv_1/../x"])
    async def test_impossible_key_name_never_reaches_the_backend(self, bench: Bench, key_ref: str) -> None:
        with pytest.raises(SignerRefused, match="key_ref must match"):
            await bench.signer.address(key_ref)
        with pytest.raises(SignerRefused, match="key_ref must match"):
            a_request(key_ref=key_ref)

    @pytest.mark.parametrize(
        "transaction",
        [
            a_transaction(),
            a_transaction(nonce=0, value=0, data=b"", max_tip=0),
            a_transaction(to=None, data=b"\x60\x80" * 10),
            a_transaction(data=b"\xfe" * 49_152, gas=30_000_000),
            a_transaction(data=b"\x00" * 131_072, chain_id=43114),
            a_transaction(chain_id=1, value=10**27, max_fee=10**12),
        ],
        ids=["plain", "zeroes", "creation", "largest creation code", "largest call data", "whale"],
    )
    async def test_transaction_recovers_to_the_key(self, bench: Bench, transaction: UnsignedTransaction) -> None:
        job = await self.signed(bench, a_request(transaction))
        assert job.signature is not None
        done = assemble_transaction(transaction, job.signature, address=ADDRESSES["platform"])
        assert str(Account.recover_transaction(done.raw)).lower() == ADDRESSES["platform"]

    async def test_signature_is_never_assembled_for_another_address(self, bench: Bench) -> None:
        job = await self.signed(bench, a_request())
        assert job.signature is not None
        with pytest.raises(WrongSignature, match="does not recover"):
            assemble_transaction(a_transaction(), job.signature, address=ADDRESSES["treasury"])

    async def test_signature_is_bound_to_every_field(self, bench: Bench) -> None:
        job = await self.signed(bench, a_request())
        assert job.signature is not None
        for change in (
            {"chain_id": 43114},
            {"nonce": 6},
            {"value": 8},
            {"data": b""},
            {"gas": 1},
            {"max_fee": 4 * 10**9},
            {"to": None},
        ):
            with pytest.raises(WrongSignature):
                assemble_transaction(a_transaction(**change), job.signature, address=ADDRESSES["platform"])

    async def test_assembled_s_is_always_low(self, bench: Bench) -> None:
        for nonce in range(16):
            job = await self.signed(bench, a_request(a_transaction(nonce=nonce)))
            assert job.signature is not None
            raw = assemble_transaction(a_transaction(nonce=nonce), job.signature, address=ADDRESSES["platform"]).raw
            assert int(TypedTransaction.from_bytes(HexBytes(raw)).as_dict()["s"]) <= ORDER // 2
            assert str(Account.recover_transaction(raw)).lower() == ADDRESSES["platform"]

    async def test_typed_data_recovers_to_the_key(self, bench: Bench) -> None:
        request = TypedDataRequest(job_id=a_job(), key_ref="platform", typed_data=typed_data(units=2**255))
        job = await bench.ended(await bench.signer.sign_typed_data(request))
        assert job.signature is not None
        packed = assemble_message(request.digest, job.signature, address=ADDRESSES["platform"])
        signable = encode_typed_data(full_message=typed_data(units=2**255))
        assert str(Account.recover_message(signable, signature=packed)).lower() == ADDRESSES["platform"]

    async def test_what_is_not_typed_data_is_refused(self, bench: Bench) -> None:
        before = bench.signed()
        wrongs: tuple[dict[str, Any], ...] = (
            {},
            {"types": {}},
            typed_data() | {"primaryType": "Other"},
            {"message": object()},
        )
        for wrong in wrongs:
            with pytest.raises(SignerRefused, match="not EIP-712"):
                await bench.signer.sign_typed_data(
                    TypedDataRequest(job_id=a_job(), key_ref="platform", typed_data=wrong)
                )
        assert bench.signed() == before

    @pytest.mark.parametrize(
        "message", [b"", b"hello", bytes(range(256)), b"x" * 10_000], ids=["empty", "text", "bytes", "long"]
    )
    async def test_message_recovers_to_the_key(self, bench: Bench, message: bytes) -> None:
        request = MessageRequest(job_id=a_job(), key_ref="treasury", message=message)
        job = await bench.ended(await bench.signer.sign_message(request))
        assert job.signature is not None
        packed = assemble_message(request.digest, job.signature, address=ADDRESSES["treasury"])
        recovered = Account.recover_message(encode_defunct(primitive=message), signature=packed)
        assert str(recovered).lower() == ADDRESSES["treasury"]

    async def test_same_job_twice_is_one_signature(self, bench: Bench) -> None:
        request = a_request()
        first = await self.signed(bench, request)
        count = bench.signed()
        again = await self.signed(bench, request)
        assert (again.signature, bench.signed()) == (first.signature, count)

    async def test_same_job_at_the_same_time_is_one_signature(self, bench: Bench) -> None:
        request = a_request()
        jobs = await asyncio.gather(*(bench.signer.submit(request) for _ in range(8)))
        ended = [await bench.ended(job) for job in jobs]
        assert len({job.signature for job in ended}) == 1
        assert ended[0].signature is not None

    async def test_job_id_for_something_else_is_a_conflict(self, bench: Bench) -> None:
        request = a_request()
        await self.signed(bench, request)
        with pytest.raises(JobConflict):
            await bench.signer.submit(a_request(a_transaction(nonce=99), job_id=request.job_id))

    @pytest.mark.parametrize("job_id", ["", "with space", "../x", "x" * 200, "a/b"])
    async def test_impossible_job_id_never_reaches_the_backend(self, bench: Bench, job_id: str) -> None:
        with pytest.raises(SignerRefused, match="job_id must match"):
            SignRequest(job_id=job_id, key_ref="platform", transaction=a_transaction())
        with pytest.raises(UnknownJob):
            await bench.signer.poll(job_id)

    async def test_poll_tells_the_same_as_submit(self, bench: Bench) -> None:
        job = await self.signed(bench, a_request())
        assert await bench.signer.poll(job.job_id) == job

    async def test_unknown_job_can_be_neither_polled_nor_cancelled(self, bench: Bench) -> None:
        with pytest.raises(UnknownJob):
            await bench.signer.poll("never-heard-of")
        with pytest.raises(UnknownJob):
            await bench.signer.cancel("never-heard-of")

    async def test_cancel_cannot_unsign(self, bench: Bench) -> None:
        job = await self.signed(bench, a_request())
        assert await bench.signer.cancel(job.job_id) == job

    async def test_request_past_its_deadline_expires_unasked(self, bench: Bench) -> None:
        before = bench.signed()
        job = await bench.signer.submit(a_request(deadline=bench.clock.now() - timedelta(seconds=1)))
        assert (job.state, job.signature, bench.signed()) == (SignState.EXPIRED, None, before)

    async def test_deadline_in_the_future_is_no_hindrance(self, bench: Bench) -> None:
        await self.signed(bench, a_request(deadline=bench.clock.now() + timedelta(hours=1)))

    @pytest.mark.parametrize(
        "change",
        [{"chain_id": 0}, {"nonce": -1}, {"nonce": 2**64}, {"gas": 0}, {"value": 2**256}, {"value": -1}, {"max_tip": 4 * 10**9}, {"to": "0x12"}, {"to": "zz"}],
        ids=str,
    )  # fmt: skip
    async def test_impossible_transaction_is_refused_unsigned(self, bench: Bench, change: dict[str, object]) -> None:
        before = bench.signed()
        with pytest.raises(SignerRefused):
            await bench.signer.submit(a_request(a_transaction(**change)))
        assert bench.signed() == before

    async def test_outage_is_unavailable_and_the_job_goes_on_after_it(self, bench: Bench) -> None:
        request = a_request()
        bench.go_away()
        try:
            with pytest.raises(SignerUnavailable):
                await bench.signer.submit(request)
            health = await bench.signer.health()
            assert not health.ok
        finally:
            bench.come_back()
        await self.signed(bench, request)
        assert (await bench.signer.health()).ok

    async def test_burst_is_signed_each_for_itself(self, bench: Bench) -> None:
        wanted = [a_transaction(nonce=n) for n in range(64)]
        jobs = await asyncio.gather(*(bench.signer.submit(a_request(t)) for t in wanted))
        ended = await asyncio.gather(*(bench.ended(job) for job in jobs))
        for transaction, done in zip(wanted, ended, strict=True):
            assert done.signature is not None
            assemble_transaction(transaction, done.signature, address=ADDRESSES["platform"])

    async def test_webhook_without_signature_counts_nothing(self, bench: Bench) -> None:
        expected = ForgedWebhook if bench.signer.capabilities.webhooks else NotSupported
        with pytest.raises(expected):
            await bench.signer.on_webhook({"content-type": "application/json"}, b"{}")

    async def test_contract_call_is_refused_where_it_is_not_offered(self, bench: Bench) -> None:
        assert not bench.signer.capabilities.contract_call
        with pytest.raises(NotSupported):
            await bench.signer.submit_contract_call(
                ContractCallRequest(job_id=a_job(), key_ref="platform", chain_id=1, to="0x" + "11" * 20, data=b"")
            )

    async def test_capabilities_are_honest(self, bench: Bench) -> None:
        capabilities = bench.signer.capabilities
        job = await bench.signer.submit(a_request())
        assert (job.state is not SignState.PENDING) == capabilities.is_sync
        assert capabilities.raw_digest
        assert capabilities.typed_data
        assert capabilities.max_inflight >= 1

    async def test_nothing_secret_is_ever_printed(self, bench: Bench, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
        with caplog.at_level(logging.DEBUG), capture_logs() as logs:
            job = await self.signed(bench, a_request())
            errors: list[BaseException] = []
            for attempt in (
                bench.signer.address("nobody"),
                bench.signer.poll("nothing"),
                bench.signer.submit(a_request(key_ref="nobody")),
            ):
                with pytest.raises((UnknownKey, UnknownJob)) as caught:
                    await attempt
                errors.append(caught.value)
        out, err = capfd.readouterr()
        text = " ".join(
            [
                repr(bench.signer),
                str(vars(bench.signer)),
                repr(job),
                *map(repr, errors),
                out,
                err,
                str(logs),
                caplog.text,
            ]
        )
        for name, secret in bench.secrets.items():
            for form in (secret.hex(), secret.decode("latin-1"), repr(secret)):
                assert form not in text, name


@pytest.fixture(scope="module")
async def local() -> AsyncGenerator[Bench]:
    async with local_bench() as bench:
        yield bench


@pytest.fixture(scope="module")
async def fireblocks() -> AsyncGenerator[Bench]:
    async with fireblocks_bench() as bench:
        yield bench


@pytest.fixture(scope="module")
async def kms() -> AsyncGenerator[Bench]:
    async with kms_bench() as bench:
        yield bench


class TestLocal(SignerContract):
    @pytest.fixture
    def bench(self, local: Bench) -> Bench:
        return local


class TestFireblocks(SignerContract):
    @pytest.fixture
    def bench(self, fireblocks: Bench) -> Bench:
        return fireblocks


class TestAwsKms(SignerContract):
    @pytest.fixture
    def bench(self, kms: Bench) -> Bench:
        return kms

    async def test_stand_in_gave_high_s_half_of_the_time(self, bench: Bench) -> None:
        for nonce in range(4):
            await self.signed(bench, a_request(a_transaction(nonce=1000 + nonce)))
        assert abs(2 * bench.stub.high_s - bench.stub.signed) <= 1
