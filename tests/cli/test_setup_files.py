"""What `make` installs from: lock files that are complete, hashed and free of addresses."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def npm_lock() -> ModuleType:
    """requirements/npm_lock.py, which is a script and not in a package."""
    spec = importlib.util.spec_from_file_location("npm_lock", ROOT / "requirements" / "npm_lock.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_requirement_is_pinned_with_a_hash_and_no_address(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert "--index-url" not in text
    for entry in re.split(r"\n(?=[a-z])", text.partition("\n#    make lock\n")[2].strip()):
        assert re.match(r"[a-z0-9-]+==\S+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]


@pytest.mark.parametrize("folder", ["contracts", "frontend"])
def test_npm_lock_lists_the_packages_of_all_platforms(folder: str) -> None:
    lock = json.loads((ROOT / folder / "package-lock.json").read_text())
    assert npm_lock().complete(lock) == [], "npm ci would refuse it: run make lock"


@pytest.mark.parametrize("folder", ["contracts", "frontend"])
def test_npm_lock_holds_no_address(folder: str) -> None:
    assert '"resolved": "http' not in (ROOT / folder / "package-lock.json").read_text()


@pytest.mark.parametrize(
    ("name", "platform"),
    [
        ("@next/swc-linux-x64-musl", {"os": ["linux"], "cpu": ["x64"], "libc": ["musl"]}),
        ("@foundry-rs/anvil-darwin-amd64", {"os": ["darwin"], "cpu": ["x64"]}),
        ("@tailwindcss/oxide-wasm32-wasi", {"cpu": ["wasm32"]}),
    ],
)
def test_platform_is_read_from_the_name(name: str, platform: dict[str, list[str]]) -> None:
    assert npm_lock().platform_of(name) == platform


def test_package_without_a_platform_in_its_name_is_refused() -> None:
    with pytest.raises(ValueError, match="does not say which platform"):
        npm_lock().platform_of("@scope/fsevents")
