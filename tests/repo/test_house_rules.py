"""House rules that a machine can check. Each failure names the file, the line and what to do instead."""

import ast
import re
import subprocess
from pathlib import Path

from tests.repo.sources import ROOT, calls, docstrings, python_files, tree

SQL = re.compile(
    r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH|TRUNCATE|CREATE|ALTER|DROP|GRANT|REVOKE)\s+\S+", re.DOTALL
)
SQL_ALLOWED_FILES = {"queries.py"}
PROBE = "SELECT 1"

CLOCKS = {
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today",
    "datetime.datetime.now", "datetime.date.today",
}  # fmt: skip
CLOCK_FILES = {
    "tokenx_common/clock.py": "the one place",
    "matcher_core/replay.py": "measures a replay; the library depends on nothing of the platform",
    "matcher_core/__main__.py": "measures a replay; the library depends on nothing of the platform",
}

ROLES = {
    "__init__",
    "routes",
    "service",
    "queries",
    "rules",
    "models",
    "errors",
    "consumer",
    "workflow",
    "activities",
    "provider",
}
"""What a file of a business domain may be called; see docs/architecture.md, 'The layout test'."""


def test_no_sql_outside_queries() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path in python_files()
        if path.name not in SQL_ALLOWED_FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and SQL.match(node.value)
        and node.value.strip() != PROBE
        if node not in docstrings(tree(path)) and node.value.split()[0].isupper()
    ]
    assert not found, f"SQL belongs into the domain's queries.py: {found}"


def test_no_wall_clock_outside_clock() -> None:
    found = [
        f"{path}:{line} {name}"
        for path in python_files()
        if str(path) not in CLOCK_FILES
        for name, line in calls(tree(path))
        if name in CLOCKS
    ]
    assert not found, f"take a Clock or use tokenx_common.clock: {found}"


def test_no_random_ids_outside_ids() -> None:
    found = [
        f"{path}:{line} {name}"
        for path in python_files()
        for name, line in calls(tree(path))
        if name.split(".")[-1] in {"uuid1", "uuid4"}
    ]
    assert not found, f"use tokenx_common.ids.new_id: {found}"


def test_no_float_money() -> None:
    found = [
        f"{path}:{line}"
        for path in python_files()
        if path.parts[0] == "tokenx_api"
        for name, line in calls(tree(path))
        if name == "float"
    ]
    assert not found, f"money, prices and quantities are integers or decimal strings: {found}"


def test_domain_folders_hold_only_role_named_files() -> None:
    domains = sorted(
        {path.parts[1] for path in python_files() if path.parts[0] == "tokenx_api" and len(path.parts) > 2}
    )
    strays = [
        str(path)
        for path in python_files()
        if path.parts[0] == "tokenx_api" and path.parts[1] in domains
        if len(path.parts) == 3 and path.stem not in ROLES
    ]
    packages = {path.parts[2] for path in python_files() if path.parts[0] == "tokenx_api" and len(path.parts) > 3}
    assert domains
    assert not strays, f"name files by their role {sorted(ROLES)}: {strays}"
    assert packages <= {"service", "provider"}, f"only a service may become a package, split by verb: {packages}"


def test_no_folder_called_utils() -> None:
    vague = {"utils", "util", "helpers", "misc", "common"}
    assert not [str(path) for path in python_files() if vague & {part.removesuffix(".py") for part in path.parts}]


def test_no_open_reminders() -> None:
    found = [
        f"{path}:{number}"
        for path in python_files()
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1)
        if re.search(r"\b(TODO|FIXME|XXX)\b", line)
    ]
    assert not found, f"finish it or open an issue: {found}"


def tracked_text_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.split(b"\0")
    return [ROOT / name.decode() for name in listed if name and (ROOT / name.decode()).is_file()]


def test_no_registry_addresses_and_no_machine_paths() -> None:
    """Requirements and lock files are pinned by hash, never by address; nothing names a folder of somebody's machine."""
    dot = "[.]"
    hosts = "|".join(
        f"{name}{dot}{top}"
        for name, top in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("proxy[.]golang", "org"))
    )
    machine = re.compile(rb"(^|[^A-Za-z0-9_./-])/(work|root|farm)/[A-Za-z.]")
    found = []
    for path in tracked_text_files():
        content = path.read_bytes()
        if b"\0" not in content[:4096] and (re.search(hosts.encode(), content) or machine.search(content)):
            found.append(str(path.relative_to(ROOT)))
    assert not found, f"addresses or machine paths in: {found}"


def test_npm_lock_files_hold_no_addresses() -> None:
    locks = [path for path in tracked_text_files() if path.name == "package-lock.json"]
    assert locks
    assert not [str(path) for path in locks if '"resolved": "http' in path.read_text()]


def test_requirements_are_pinned_by_hash() -> None:
    files = sorted((ROOT / "requirements").glob("*.txt"))
    assert files
    for path in files:
        text = path.read_text()
        pins = re.findall(r"^[a-z0-9][a-z0-9._-]*(?:\[[a-z,]+\])?==", text, re.MULTILINE)
        assert pins, path
        assert text.count("--hash=sha256:") >= len(pins), f"{path}: every pin needs a hash"
        assert "--index-url" not in text, path
