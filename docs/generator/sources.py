"""Python sources as the pages need them: docstrings, signatures, and the comments beside members of an enum."""

import ast
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeAlias

ROOT = Path(__file__).resolve().parents[2]
CORE = ROOT / "matcher_core"
WIDTH = 110

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
COMMENT = re.compile(r"^\s*([A-Z]\w*)\s*=\s*[^#]*#\s*(.+)$")
HEADING = re.compile(r"^\s*#\s*(.+)$")


@dataclass(frozen=True, slots=True)
class Member:
    """One member of an enum. `heading` is the comment line that begins its group, '' for the rest of the group."""

    name: str
    value: str
    comment: str
    heading: str


@cache
def lines(path: Path) -> tuple[str, ...]:
    return tuple(path.read_text().splitlines())


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=path.name)


def doc(node: ast.Module | ast.ClassDef | Function) -> str:
    return inspect.cleandoc(ast.get_docstring(node) or "")


def classes(path: Path) -> Iterator[ast.ClassDef]:
    """Public classes in the order of the file."""
    return (node for node in tree(path).body if isinstance(node, ast.ClassDef) and not node.name.startswith("_"))


def functions(node: ast.Module | ast.ClassDef) -> Iterator[Function]:
    """Public functions of a module, or methods of a class, in order."""
    return (f for f in node.body if isinstance(f, ast.FunctionDef) and not f.name.startswith("_"))


def a_class(path: Path, name: str) -> ast.ClassDef:
    return next(node for node in classes(path) if node.name == name)


def bases(node: ast.ClassDef) -> str:
    return ", ".join(ast.unparse(base) for base in node.bases)


def fields(node: ast.ClassDef) -> Iterator[str]:
    """`name: type = default` of each annotated field that is public."""
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and not ast.unparse(item.target).startswith("_"):
            yield ast.unparse(item)


def members(path: Path, name: str) -> list[Member]:
    """The members of an enum with the comment behind each, and the comment lines between them as headings."""
    node, found, heading = a_class(path, name), list[Member](), ""
    values = {item.lineno: item for item in node.body if isinstance(item, ast.Assign)}
    first = min(values)
    while lines(path)[first - 2].lstrip().startswith("#"):
        first -= 1
    for number in range(first, max(values) + 1):
        line = lines(path)[number - 1]
        if (item := values.get(number)) is not None:
            comment = COMMENT.match(line)
            text = comment.group(2) if comment else ""
            found.append(Member(ast.unparse(item.targets[0]), ast.unparse(item.value), text, heading))
            heading = ""
        elif alone := HEADING.match(line):
            heading = alone.group(1)
    return found


def signature(function: Function, *, name: str = "") -> str:
    """How a function is called, without self, in as many lines as it needs."""
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(positional) - len(arguments.defaults)) + list(arguments.defaults)
    said = [_argument(arg, value) for arg, value in zip(positional, defaults, strict=True)]
    said = [text for text in said if text not in ("self", "cls")]
    if arguments.kwonlyargs:
        said.append("*")
        said += [_argument(a, v) for a, v in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    returns = f" -> {ast.unparse(function.returns)}" if function.returns and function.name != "__init__" else ""
    return _wrapped(f"{name or function.name}(", said, f"){returns}")


def _argument(arg: ast.arg, default: ast.expr | None) -> str:
    text = arg.arg if arg.annotation is None else f"{arg.arg}: {ast.unparse(arg.annotation)}"
    return text if default is None else f"{text} = {ast.unparse(default)}"


def _wrapped(opening: str, parts: list[str], closing: str) -> str:
    whole = opening + ", ".join(parts) + closing
    if len(whole) <= WIDTH:
        return whole
    rows, row = list[str](), ""
    for part in parts:
        if row and len(row) + len(part) + 6 > WIDTH:
            rows.append(row)
            row = ""
        row += f"{part}, "
    rows.append(row)
    return "\n".join([opening, *(f"    {row.rstrip()}" for row in rows), closing])
