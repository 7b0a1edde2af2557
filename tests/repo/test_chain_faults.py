"""docs/chain-faults.md names a test for each fault, and each test it names exists."""

import ast
import re
from functools import cache

import pytest

from tests.repo.sources import ROOT

TEXT = (ROOT / "docs" / "chain-faults.md").read_text()
NODE = re.compile(r"`(tests/[\w/.]+\.py)::(test_\w+)`")
ROW = re.compile(r"^\| (T\d+) \|(.*)\|$", re.MULTILINE)


@cache
def _functions(path: str) -> set[str]:
    """Names of the test functions of a file; none when it does not exist."""
    file = ROOT / path
    if not file.exists():
        return set()
    functions = [
        node for node in ast.parse(file.read_text()).body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return {function.name for function in functions}


def test_every_fault_has_a_row() -> None:
    assert [name for name, _ in ROW.findall(TEXT)] == [f"T{number}" for number in range(1, 35)]


@pytest.mark.parametrize(("fault", "row"), ROW.findall(TEXT), ids=[name for name, _ in ROW.findall(TEXT)])
def test_fault_is_driven_by_tests_that_exist(fault: str, row: str) -> None:
    named = NODE.findall(row)
    assert named, f"{fault} has no test"
    assert [f"{path}::{test}" for path, test in named if test not in _functions(path)] == []


def test_other_tests_it_names_exist() -> None:
    assert [f"{path}::{test}" for path, test in NODE.findall(TEXT) if test not in _functions(path)] == []
