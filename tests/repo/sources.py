"""The project's own Python sources, parsed once for the house rules."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("matcher_core", "tokenx_common", "tokenx_api", "tokenx_chain", "tokenx_matcher", "tokenx_kyt", "tokenx_cli")


@cache
def python_files() -> tuple[Path, ...]:
    """Every .py file of our packages, relative to the root."""
    return tuple(sorted(path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")))


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text(), filename=str(path))


def docstrings(module: ast.Module) -> set[ast.Constant]:
    """The nodes that are documentation, not data: docstrings and attribute docstrings."""
    return {
        node.value for node in ast.walk(module) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def calls(module: ast.Module) -> Iterator[tuple[str, int]]:
    """(dotted name, line) of each call whose target is a plain dotted name."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            if name:
                yield name, node.lineno


def dotted(node: ast.expr) -> str:
    """'a.b.c' for such an expression, '' for any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        owner = dotted(node.value)
        return f"{owner}.{node.attr}" if owner else ""
    return ""
