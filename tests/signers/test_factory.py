"""SIGNER_BACKEND and its variables: what is chosen, and how a wrong one stops the start."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tests.signers.benches import aws_credentials, fireblocks_settings, kms_settings, local_settings
from tests.signers.builders import ADDRESSES, KEYS
from tests.signers.fireblocks_stub import FireblocksStub
from tests.signers.kms_stub import KmsStub
from tokenx_chain.signers import errors
from tokenx_chain.signers.errors import SignerConfigError
from tokenx_chain.signers.factory import open_backend, open_desk, preflight
from tokenx_chain.signers.settings import SignerSettings, service_url
from tokenx_common.settings import load_settings

ANVIL_0 = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
ROOT = Path(__file__).resolve().parents[2]


async def test_one_variable_switches_the_backend(tmp_path: Path) -> None:
    fireblocks, kms = (
        FireblocksStub({"3": KEYS["platform"], "4": KEYS["treasury"]}),
        KmsStub({f"alias/tokenx/{n}": k for n, k in KEYS.items()}),
    )
    for stub in (fireblocks, kms):
        stub.start()
    try:
        with aws_credentials():
            for chosen in (local_settings(tmp_path), fireblocks_settings(fireblocks, tmp_path), kms_settings(kms)):
                async with open_desk(chosen) as desk:
                    assert await desk.address("platform") == ADDRESSES["platform"]
                    assert (await desk.health()).ok
                async with open_backend(chosen) as backend:
                    assert backend.backend == chosen.signer_backend
    finally:
        for stub in (fireblocks, kms):
            stub.stop()


def test_preflight_says_yes_to_what_opens_and_names_what_does_not(tmp_path: Path) -> None:
    fireblocks, kms = FireblocksStub({}), KmsStub({})
    try:
        with aws_credentials():
            for good in (local_settings(tmp_path), fireblocks_settings(fireblocks, tmp_path), kms_settings(kms)):
                preflight(good)
            wrong: list[tuple[SignerSettings, str]] = [
                (
                    local_settings(tmp_path / "known", keys={"treasury": ANVIL_0}, chain_ids="1"),
                    "SIGNER_KEYSTORE: treasury: a well-known development key",
                ),
                (local_settings(tmp_path, signer_passphrase_file=None), "SIGNER_PASSPHRASE_FILE is missing"),
                (fireblocks_settings(fireblocks, tmp_path, fireblocks_api_key=None), "FIREBLOCKS_API_KEY is missing"),
                (kms_settings(kms, aws_kms_region=None), "AWS_KMS_REGION is missing"),
            ]
            for settings, reason in wrong:
                with pytest.raises(SignerConfigError, match=reason):
                    preflight(settings)
    finally:
        for stub in (fireblocks, kms):
            stub.close()
    assert not fireblocks.requests
    assert not kms.requests


@pytest.mark.parametrize(
    ("environment", "variable"),
    [
        ({"SIGNER_BACKEND": "paper"}, "SIGNER_BACKEND"),
        ({"CHAIN_IDS": "one"}, "CHAIN_IDS"),
        ({"SIGNER_PATIENCE_S": "-1"}, "SIGNER_PATIENCE_S"),
        ({"FIREBLOCKS_VAULTS": "platform"}, "FIREBLOCKS_VAULTS"),
        ({"FIREBLOCKS_VAULTS": "Platform Key=3"}, "FIREBLOCKS_VAULTS"),
        ({"FIREBLOCKS_VAULTS": "platform=3/../4"}, "FIREBLOCKS_VAULTS"),
        ({"FIREBLOCKS_ASSET_ID": "ETH/0"}, "FIREBLOCKS_ASSET_ID"),
        ({"FIREBLOCKS_CONTRACT_CALL_ASSETS": "main=ETH"}, "FIREBLOCKS_CONTRACT_CALL_ASSETS"),
        ({"AWS_KMS_KEYS": "=x"}, "AWS_KMS_KEYS"),
        ({"AWS_KMS_ALIAS_PREFIX": "tokenx/"}, "AWS_KMS_ALIAS_PREFIX"),
        ({"AWS_KMS_ALIAS_PREFIX": "alias/aws/"}, "AWS_KMS_ALIAS_PREFIX"),
    ],
    ids=str,
)  # fmt: skip
def test_bad_value_stops_the_start_with_the_variables_name(
    environment: dict[str, str], variable: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as caught:
        load_settings(SignerSettings)
    assert (caught.value.code, capsys.readouterr().err.startswith(f"configuration: {variable}")) == (78, True)


def test_maps_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIREBLOCKS_VAULTS", "platform=3, investor:inv_1=17 ,platform@2=18")
    monkeypatch.setenv("FIREBLOCKS_CONTRACT_CALL_ASSETS", "1=ETH,137=MATIC_POLYGON")
    monkeypatch.setenv("CHAIN_IDS", "1, 137")
    settings = SignerSettings()
    assert dict(settings.fireblocks_vaults) == {"platform": "3", "investor:inv_1": "17", "platform@2": "18"}
    assert dict(settings.fireblocks_contract_call_assets) == {"1": "ETH", "137": "MATIC_POLYGON"}
    assert (settings.chain_ids, settings.serves_main_network) == ((1, 137), True)
    assert not SignerSettings(chain_ids="31337").serves_main_network  # pyright: ignore[reportArgumentType]  # as the environment has it


def test_settings_are_frozen_through_and_through() -> None:
    settings = SignerSettings(fireblocks_vaults={"platform": "3"})
    with pytest.raises(ValidationError):
        settings.signer_backend = "aws_kms"  # pyright: ignore[reportAttributeAccessIssue]  # the point of the test
    with pytest.raises(TypeError):
        settings.fireblocks_vaults["platform"] = "4"  # pyright: ignore[reportIndexIssue]  # the point of the test


def test_secrets_print_as_stars() -> None:
    settings = SignerSettings(signer_private_key="aa" * 32, fireblocks_api_key="the-api-key")  # pyright: ignore[reportArgumentType]  # as the environment has it
    for text in (repr(settings), str(settings), str(settings.model_dump()), settings.model_dump_json()):
        assert "aa" * 32 not in text
        assert "the-api-key" not in text


@pytest.mark.parametrize(
    ("url", "is_dev", "is_good"),
    [
        ("https://api.fireblocks.io", False, True), ("https://api.fireblocks.io/", False, True), ("http://127.0.0.1:1", True, True),
        ("http://127.0.0.1:1", False, False), ("http://api.fireblocks.io", True, False), ("https://user:pw@host", True, False),
        ("https://host?x=1", True, False), ("", True, False), ("file:///etc/passwd", True, False),
    ],
)  # fmt: skip
def test_addresses_are_https_except_for_stand_ins(url: str, is_dev: bool, is_good: bool) -> None:
    if is_good:
        assert service_url("X", url, is_dev=is_dev) == url.rstrip("/")
    else:
        with pytest.raises(SignerConfigError, match="X must be an https address"):
            service_url("X", url, is_dev=is_dev)


def test_local_backend_needs_neither_botocore_nor_fireblocks() -> None:
    """The optional extra stays optional: importing and opening the local signer loads neither package."""
    script = "import sys, tokenx_chain.signers.factory, tokenx_chain.signers.local.process; print([m for m in sys.modules if m.split('.')[0] in ('botocore', 'fireblocks', 'boto3')])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=ROOT,
        env=dict(os.environ),
    )
    assert done.stdout.strip() == "[]"


async def test_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "botocore.session", None)
    settings: Any = SignerSettings(signer_backend="aws_kms", aws_kms_region="eu-central-1")
    with pytest.raises(SignerConfigError, match=r"pip install 'tokenx\[aws\]'"):
        async with open_desk(settings):
            pass


def test_only_proof_frees_a_nonce() -> None:
    """What the transaction code may take for proof that nothing was signed; everything else leaves the nonce bound."""
    proofs = {error.__name__ for error in errors.SignerError.__subclasses__() if error.proves_unsigned}
    assert proofs == {"SignRejected", "SignExpired", "SignerRefused", "NotSupported"}
    assert not any(
        error.proves_unsigned
        for error in (
            errors.SignerError,
            errors.SignerUnavailable,
            errors.WrongSignature,
            errors.BadAnswer,
            errors.JobConflict,
        )
    )
