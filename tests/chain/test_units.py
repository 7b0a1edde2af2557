"""The parts that need no server: keys, settings, revert reasons, the build lock."""

import json
import subprocess
from pathlib import Path

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_keys.backends import get_backend_class

from tests.chain.harness import ROOT
from tests.support.seed_signer import SeedSigner
from tokenx_chain.contracts.artifacts import PATHS, Artifacts, ArtifactsMissing
from tokenx_chain.contracts.errors import decode_revert
from tokenx_chain.networks.catalog import NETWORKS
from tokenx_chain.settings import ChainSettings
from tokenx_chain.signers.base import UnsignedTransaction
from tokenx_chain.signers.seed import BadSeed, derive_key, read_seed
from tokenx_chain.standards.countries import NUMERIC

REQUIRED = {
    "redis_url": "redis://x",
    "service_private_key": "x",
    "service_public_keys": {},
    "chain_ids": "31337",
    "rpc_urls": {31337: ("http://x",)},
}


def settings(**changes: object) -> ChainSettings:
    return ChainSettings(**{**REQUIRED, **changes})  # pyright: ignore[reportArgumentType]  # test data


def test_keys_are_deterministic_distinct_and_bound_to_the_seed() -> None:
    assert derive_key(b"a" * 32, "platform") == derive_key(b"a" * 32, "platform")
    assert (
        len({derive_key(seed * 32, ref) for seed in (b"a", b"b") for ref in ("platform", "treasury", "investor:inv_1")})
        == 6
    )


async def test_signed_transaction_recovers_to_the_key_address() -> None:
    signer = SeedSigner(b"s" * 32)
    signed = await signer.sign_transaction(
        "platform", UnsignedTransaction(31337, 5, "0x" + "11" * 20, 7, b"\x01", 21_000, 2, 1)
    )
    assert Account.recover_transaction(signed.raw).lower() == await signer.address("platform")


def test_curve_backend_is_the_fast_one() -> None:
    assert "CoinCurve" in get_backend_class().__name__


@pytest.mark.parametrize(
    ("content", "mode", "wanted"), [(b"short", 0o600, "needs 32"), (b"x" * 64, 0o644, "chmod 600")]
)
def test_unsafe_seed_file_is_refused_in_one_line(tmp_path: Path, content: bytes, mode: int, wanted: str) -> None:
    path = tmp_path / "seed"
    path.write_bytes(content)
    path.chmod(mode)
    with pytest.raises(BadSeed, match=wanted):
        read_seed(path)


def test_settings_name_the_missing_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHAIN_31337_RPC_URLS", raising=False)
    with pytest.raises(ValueError, match="CHAIN_31337_RPC_URLS is missing"):
        settings(rpc_urls={})
    monkeypatch.setenv("CHAIN_31337_RPC_URLS", "http://a, http://b")
    assert settings(rpc_urls={}).rpc_urls == {31337: ("http://a", "http://b")}
    with pytest.raises(ValueError, match="unknown chain ids"):
        settings(chain_ids="31337,4")


def test_catalog_has_the_six_networks_and_the_local_one() -> None:
    assert {1, 10, 137, 295, 8453, 43114, 31337} < set(NETWORKS)
    assert [n.chain_id for n in NETWORKS.values() if n.is_dev] == [31337]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (bytes.fromhex("08c379a0") + encode(["string"], ["wallet is frozen"]), "wallet.frozen"),
        (bytes.fromhex("08c379a0") + encode(["string"], ["something new"]), "contract.reverted"),
        (bytes.fromhex("4e487b71") + encode(["uint256"], [0x11]), "allowance.insufficient"),
        (bytes.fromhex("4e487b71") + encode(["uint256"], [0x12]), "contract.panic"),
        (bytes.fromhex("08c379a0") + b"\xff", "contract.reverted"),
        (b"", "contract.reverted"),
        (b"\x01\x02\x03\x04", "contract.reverted"),
    ],
)
def test_revert_data_becomes_a_stable_code(data: bytes, code: str) -> None:
    assert decode_revert(data, Artifacts(ROOT / "contracts").custom_errors).code == code


def test_missing_contracts_folder_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ArtifactsMissing, match="npm ci --ignore-scripts"):
        Artifacts(tmp_path).check()


def test_rebuild_gives_the_locked_bytecode_and_out_is_current() -> None:
    done = subprocess.run(
        ["node", "build.mjs", "--check"], cwd=ROOT / "contracts", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lock = json.loads((ROOT / "contracts" / "artifacts.lock.json").read_text())
    for name, path in PATHS.items():
        if path.startswith("out/"):
            built = json.loads((ROOT / "contracts" / path).read_text())
            assert built["sourcesSha256"] == lock["sourcesSha256"], f"{name}: run `npm run build` in contracts/"


def test_no_contract_exceeds_the_size_limit() -> None:
    artifacts = Artifacts(ROOT / "contracts")
    assert {name: artifacts[name].runtime_size for name in PATHS if artifacts[name].runtime_size > 24_576} == {}


def test_npm_lock_names_no_registry() -> None:
    lock = json.loads((ROOT / "contracts" / "package-lock.json").read_text())
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []


def test_countries_are_known_both_ways_without_doubles() -> None:
    assert (NUMERIC["US"], NUMERIC["DE"], NUMERIC["IR"]) == (840, 276, 364)
    assert len(set(NUMERIC.values())) == len(NUMERIC)
