"""api.md: everything a program may call, with its signature and its docstring.

Signatures of the compiled classes come from book.pyi, their docstrings from the compiled module itself; where a method of
the book has none, that of the rulebook's book stands for it, because both do the same.
"""

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path

import matcher_core
from docs.generator import prose, sources
from docs.generator.sources import CORE

PREFACE = """\
# API reference

Written by `python -m docs.generator` from [book.pyi](../../matcher_core/book.pyi) and the docstrings. Books, events and
constants are imported from `matcher_core`, the rest from the module named. What a command does is in
[the rulebook](rulebook.md), what the numbers of the enums mean [there too](rulebook.md#numbers-and-names).

Prices are whole ticks, quantities whole lots, ids and owners integers from 0 to 2^64 - 1. Nothing is a float.
"""
BOOKS = """\
`Book` and `Engine` are compiled; `ReferenceBook` and `ReferenceEngine` have the same methods in plain Python and follow the same
rules. `BUILD_ID` is the digest of the sources the compiled ones were made from.
"""
COMPILED = {"Engine": "ReferenceEngine", "Book": "ReferenceBook"}
"""Each compiled class, and the class of the rulebook that does the same."""
ENUMS = ("IntEnum",)


def page() -> str:
    parts = [PREFACE.rstrip(), "## Books", BOOKS.rstrip(), *(_compiled(name) for name in COMPILED)]
    parts += ["## Events and answers", *_classes(CORE / "types.py")]
    parts += ["## Constants", _constants(CORE / "types.py")]
    parts += ["## Functions", *_functions(CORE / "__init__.py")]
    parts += [
        "## Records",
        "From `matcher_core.records`; layouts are in [records.md](records.md).",
        _constants(CORE / "records.py"),
    ]
    parts += [*_classes(CORE / "records.py"), *_functions(CORE / "records.py")]
    parts += ["## Decimals", "From `matcher_core.instrument`:", *_classes(CORE / "instrument.py")]
    parts += ["From `matcher_core.grid`:", *_classes(CORE / "grid.py"), *_functions(CORE / "grid.py")]
    parts += ["From `matcher_core.decimal_events`:", *_classes(CORE / "decimal_events.py")]
    return "\n\n".join(parts) + "\n"


# ---- compiled classes ------------------------------------------------------------------------------------------------


def _compiled(name: str) -> str:
    node = sources.a_class(CORE / "book.pyi", name)
    return _class(node, said=_compiled_doc(name), said_of=lambda method: _compiled_doc(name, method))


def _compiled_doc(name: str, method: str = "") -> str:
    """The docstring at run time, without the signature that Cython puts before it."""
    for owner in (name, COMPILED[name]):
        thing = getattr(matcher_core, owner)
        thing = getattr(thing, method, None) if method else thing
        text = inspect.cleandoc(getattr(thing, "__doc__", None) or "")
        if text.startswith(f"{name}."):
            text = text.partition("\n")[2]
        if text.strip():
            return text.strip()
    return ""


# ---- sources ---------------------------------------------------------------------------------------------------------


def _classes(path: Path) -> Iterator[str]:
    """Public classes except enums, which the rulebook lists."""
    for node in sources.classes(path):
        if sources.bases(node) not in ENUMS:
            texts = {function.name: sources.doc(function) for function in sources.functions(node)}
            yield _class(node, said=sources.doc(node), said_of=texts.__getitem__)


def _class(node: ast.ClassDef, *, said: str, said_of: Callable[[str], str]) -> str:
    parts = [f"### {node.name}", *([prose.markdown(said)] if said else [])]
    if how := _construction(node):
        parts.append(prose.fenced(how, "python"))
    return "\n\n".join([*parts, *_methods(node, said_of)])


def _construction(node: ast.ClassDef) -> str:
    """The call that makes one, or the fields of a tuple."""
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name == "__init__":
            return sources.signature(item, name=node.name)
    return "\n".join(sources.fields(node))


def _methods(node: ast.ClassDef, said_of: Callable[[str], str]) -> Iterator[str]:
    for function in sources.functions(node):
        marks = {ast.unparse(mark) for mark in function.decorator_list}
        returns = ast.unparse(function.returns) if function.returns else ""
        shown = f"{function.name}: {returns}" if "property" in marks else sources.signature(function)
        yield _entry(f"@classmethod\n{shown}" if "classmethod" in marks else shown, said_of(function.name))


def _functions(path: Path) -> Iterator[str]:
    for function in sources.functions(sources.tree(path)):
        yield _entry(sources.signature(function), sources.doc(function))


def _entry(shown: str, said: str) -> str:
    return f"{prose.fenced(shown, 'python')}\n{prose.markdown(said)}".rstrip()


def _constants(path: Path) -> str:
    """Public names in capitals as they are written, or with their type alone when that would be a long line."""
    found = list[str]()
    for item in sources.tree(path).body:
        if isinstance(item, ast.AnnAssign) and ast.unparse(item.target).isupper():
            found.append(f"{ast.unparse(item.target)}: {ast.unparse(item.annotation)}")
        elif isinstance(item, ast.Assign) and (name := ast.unparse(item.targets[0])).isupper() and name[0] != "_":
            found.append(ast.unparse(item))
    return prose.fenced("\n".join(found), "python")
