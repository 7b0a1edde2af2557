"""What only AWS KMS does: DER, high s, aliases, AWS's errors; and that the stand-in really checks SigV4."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from tests.signers.benches import Bench, aws_credentials, kms_bench, kms_settings
from tests.signers.builders import ADDRESSES, KEYS, a_request, a_transaction
from tests.signers.http_stub import Fault
from tests.signers.kms_stub import SECRET_KEY, arn, sigv4_problem
from tokenx_chain.signers.aws_kms import open_aws_kms
from tokenx_chain.signers.desk import SigningDesk
from tokenx_chain.signers.errors import (
    SignerConfigError,
    SignerError,
    SignerRefused,
    SignerUnavailable,
    UnknownKey,
    WrongSignature,
)
from tokenx_chain.signers.jobs import SignState


@pytest.fixture(scope="module")
async def shared() -> AsyncGenerator[Bench]:
    async with kms_bench() as bench:
        yield bench


@pytest.fixture
def bench(shared: Bench) -> Bench:
    shared.stub.reset()
    return shared


async def test_desk_gives_transactions_a_network_takes_whatever_s_was(bench: Bench) -> None:
    desk = SigningDesk(bench.signer)
    before = bench.stub.high_s
    for nonce in range(8):
        await desk.sign_transaction("platform", a_transaction(nonce=2000 + nonce))
    assert bench.stub.high_s - before == 4


async def test_signature_by_another_key_is_refused_at_once(bench: Bench) -> None:
    bench.stub.signs_with = {arn(0): arn(1)}
    with pytest.raises(WrongSignature):
        await bench.signer.submit(a_request())


async def test_moved_alias_does_not_change_the_address_under_a_running_service(bench: Bench) -> None:
    assert await bench.signer.address("platform") == ADDRESSES["platform"]
    aliases = bench.stub.aliases
    aliases["alias/tokenx/platform"], aliases["alias/tokenx/treasury"] = arn(1), arn(0)
    try:
        job = await bench.signer.submit(a_request())
        assert (job.state, job.backend_ref) == (SignState.SIGNED, arn(0))
    finally:
        aliases["alias/tokenx/platform"], aliases["alias/tokenx/treasury"] = arn(0), arn(1)


@pytest.mark.parametrize(
    ("key_ref", "wanted"),
    [
        ("ats-operator", "alias/tokenx/ats-operator"),
        ("investor:inv_1", "alias/tokenx/investor/inv_1"),
        ("platform@2", "alias/tokenx/platform/v2"),
        ("treasury", arn(9)),
    ],
)
async def test_key_names_become_aliases_unless_listed(bench: Bench, key_ref: str, wanted: str) -> None:
    with aws_credentials():
        async with open_aws_kms(kms_settings(bench.stub, aws_kms_keys=f"treasury={arn(9)}")) as signer:
            assert signer.key_id(key_ref) == wanted


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("NotFoundException", UnknownKey), ("AccessDeniedException", SignerUnavailable), ("DisabledException", SignerUnavailable),
        ("KMSInvalidStateException", SignerUnavailable), ("ValidationException", SignerRefused), ("InvalidKeyUsageException", SignerRefused), ("ThrottlingException", SignerUnavailable), ("KMSInternalException", SignerUnavailable),
        ("KeyUnavailableException", SignerUnavailable), ("SomethingNew", SignerUnavailable),
    ],
)  # fmt: skip
async def test_aws_error_becomes_ours(bench: Bench, code: str, wanted: type[SignerError]) -> None:
    await bench.signer.address("platform")
    bench.stub.error = code
    with pytest.raises(wanted, match=code):
        await bench.signer.submit(a_request())


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "500"])
async def test_signing_is_repeated_after_a_bad_moment(bench: Bench, fault: Fault) -> None:
    await bench.signer.address("platform")
    bench.stub.faults["POST"].append(fault)
    assert (await bench.signer.submit(a_request())).state is SignState.SIGNED


async def test_key_of_another_kind_is_refused(bench: Bench) -> None:
    bench.stub.spec = "ECC_NIST_P256"
    with aws_credentials():
        async with open_aws_kms(kms_settings(bench.stub)) as signer:
            with pytest.raises(UnknownKey, match="needs ECC_SECG_P256K1"):
                await signer.address("platform")
            assert not (await signer.health()).ok


async def test_stand_in_checks_sigv4_for_real(bench: Bench) -> None:
    await bench.signer.submit(a_request())
    good = bench.stub.requests[-1]
    assert sigv4_problem(good) is None
    changes: list[dict[str, Any]] = [
        {"body": good.body + b" "}, {"path": "/other"}, {"method": "PUT"}, {"headers": {**good.headers, "x-amz-target": "TrentService.Decrypt"}},
        {"headers": {**good.headers, "x-amz-date": "20200101T000000Z"}}, {"headers": {**good.headers, "authorization": "none"}},
    ]  # fmt: skip
    for change in changes:
        fields: dict[str, Any] = {"method": good.method, "path": good.path, "headers": good.headers, "body": good.body}
        assert sigv4_problem(type(good)(**(fields | change))) is not None
    async with httpx.AsyncClient() as http:
        assert (await http.post(bench.stub.url, content=good.body)).status_code == 400
    assert SECRET_KEY not in str(bench.stub.requests)
    assert all(key.hex() not in str(bench.stub.requests) for key in KEYS.values())


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"aws_kms_region": None}, "AWS_KMS_REGION is missing"),
        ({"aws_kms_endpoint_url": "http://kms.example.com"}, "AWS_KMS_ENDPOINT_URL must be an https address"),
    ],
)
async def test_bad_configuration_names_its_variable(bench: Bench, change: dict[str, Any], wanted: str) -> None:
    with aws_credentials(), pytest.raises(SignerConfigError, match=wanted):
        async with open_aws_kms(kms_settings(bench.stub, **change)):
            pass


async def test_missing_credentials_stop_the_start(bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(SignerConfigError, match="AWS credentials are missing"):
        async with open_aws_kms(kms_settings(bench.stub)):
            pass
