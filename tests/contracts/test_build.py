"""The build: what is deployed is what the sources say, and every machine gets the same bytes."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest

from tests.contracts.evm import ARTIFACTS, ROOT
from tokenx_chain.contracts.artifacts import PATHS
from tokenx_cli.runtime.node import find_node

pytestmark = pytest.mark.stack

CONTRACTS: Final = ROOT / "contracts"
OWN: Final = sorted(name for name, path in PATHS.items() if path.startswith("out/"))
LOCK: Final[dict[str, Any]] = json.loads((CONTRACTS / "artifacts.lock.json").read_text())
MOST_CODE: Final = 24_576
"""Bytes a contract may have on chain (EIP-170)."""


def test_lock_names_exactly_our_contracts() -> None:
    assert sorted(LOCK["bytecodeSha256"]) == OWN


@pytest.mark.parametrize("name", OWN)
def test_built_contract_is_the_locked_one(name: str) -> None:
    built = json.loads((CONTRACTS / PATHS[name]).read_text())
    assert hashlib.sha256(built["bytecode"].encode()).hexdigest() == LOCK["bytecodeSha256"][name]
    assert built["sourcesSha256"] == LOCK["sourcesSha256"]
    assert ARTIFACTS[name].runtime_size <= MOST_CODE


def test_locked_sources_are_those_at_hand() -> None:
    """As build.mjs hashes them: JSON of name and content, sorted by name."""
    files = sorted((CONTRACTS / "src").rglob("*.sol"), key=lambda path: path.relative_to(CONTRACTS / "src").as_posix())
    sources = {path.relative_to(CONTRACTS / "src").as_posix(): {"content": path.read_text()} for path in files}
    text = json.dumps(sources, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(text.encode()).hexdigest() == LOCK["sourcesSha256"]


def test_compiler_version_is_the_pinned_one() -> None:
    pinned = json.loads((CONTRACTS / "package.json").read_text())["devDependencies"]["solc"]
    assert LOCK["solc"].startswith(f"{pinned}+commit.")


def test_build_elsewhere_gives_the_same_bytes(tmp_path: Path) -> None:
    """In another folder, with another clock and language, file by file."""
    for part in ("src", "build.mjs", "package.json", "artifacts.lock.json"):
        source = CONTRACTS / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / part)
    (tmp_path / "node_modules").symlink_to(CONTRACTS / "node_modules")
    node = find_node()
    environment = {**node.environment(), "TZ": "Asia/Kathmandu", "LC_ALL": "C"}
    subprocess.run([str(node.program), "build.mjs"], cwd=tmp_path, env=environment, check=True, timeout=240)
    for name in OWN:
        assert (tmp_path / PATHS[name]).read_bytes() == (CONTRACTS / PATHS[name]).read_bytes()


def test_changed_source_without_a_new_lock_fails_the_build(tmp_path: Path) -> None:
    for part in ("build.mjs", "package.json", "artifacts.lock.json"):
        shutil.copy(CONTRACTS / part, tmp_path / part)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "One.sol").write_text("// SPDX-License-Identifier: Apache-2.0\npragma solidity 0.8.30;\ncontract One { uint256 public one; }\n")  # fmt: skip
    (tmp_path / "node_modules").symlink_to(CONTRACTS / "node_modules")
    node = find_node()
    environment = node.environment()
    done = subprocess.run([str(node.program), "build.mjs", "--check"], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240)  # fmt: skip
    assert done.returncode == 1
    assert "differs from artifacts.lock.json" in done.stderr
