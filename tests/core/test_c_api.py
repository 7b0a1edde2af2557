"""The order book from C and C++: the library needs no Python, shows nothing but mc_*, and answers as the Python book does.

The library is built from a copy of the tree, with the C compiler that built the extension.
"""

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

import matcher_core
import matcher_core.book
from matcher_core import Command, Op, ReferenceBook, SelfTradePrevention
from tests.core.builders import a_seed
from tests.core.trees import ROOT, copy_tree, run

LAYOUT = """
#include <stddef.h>
#include <stdio.h>
#include "matcher_core.h"
#define SHOW(type, field) printf("%zu ", offsetof(type, field))
int main(void) {{
{shows}
    printf("%zu %zu\\n", sizeof(mc_command_t), sizeof(mc_event_t));
    return 0;
}}
"""
SYMBOL = 7


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the header, the shared and the static library."""
    tree = copy_tree(tmp_path_factory.mktemp("clib") / "tree", "clib")
    run(sys.executable, "-m", "clib.build", "--out", "out", cwd=tree)
    return tree / "out"


@pytest.fixture(scope="module")
def programs(library: Path) -> Path:
    """The examples, compiled as their head comments say, warnings being errors."""
    examples = ROOT / "clib" / "examples"
    strict = ("-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", library / "include")
    shared = ("-L", library, "-lmatcher_core", f"-Wl,-rpath,{library}")
    run("cc", "-std=c11", *strict, examples / "replay.c", *shared, "-o", "replay", cwd=library)
    run("cc", "-std=c11", *strict, examples / "replay.c", "libmatcher_core.a", "-o", "replay-static", cwd=library)
    run("c++", "-std=c++17", *strict, examples / "book.cpp", *shared, "-o", "book", cwd=library)
    return library


def symbols(kind: str, library: Path) -> set[str]:
    """Names in the dynamic symbol table, without versions. kind is nm's --undefined-only or --defined-only."""
    said = run("nm", "-D", "-P", kind, library / "libmatcher_core.so", cwd=library)
    return {line.split()[0].split("@")[0] for line in said.splitlines()}


def test_library_when_linked_then_wants_nothing_of_python(library: Path):
    wanted = symbols("--undefined-only", library)
    assert not [name for name in wanted if name.lstrip("_").lower().startswith("py")]
    assert {"calloc", "free", "realloc"} & wanted
    assert "python" not in run("ldd", library / "libmatcher_core.so", cwd=library)


def test_library_when_linked_then_shows_what_the_header_declares(library: Path):
    declared = set(re.findall(r"\b(mc_[a-z_]+)\s*\(", (library / "include" / "matcher_core.h").read_text()))
    assert symbols("--defined-only", library) - {"MATCHER_CORE_1"} == declared


def test_static_library_when_opened_then_shows_the_same_and_wants_nothing_of_python(library: Path):
    said = run("nm", "-P", "-g", "libmatcher_core.a", cwd=library)
    kinds = [line.split()[:2] for line in said.splitlines() if len(line.split()) >= 2]
    assert {name for name, kind in kinds if kind == "T"} == symbols("--defined-only", library) - {"MATCHER_CORE_1"}
    assert not [name for name, kind in kinds if kind == "U" and name.lstrip("_").lower().startswith("py")]


def test_extension_when_opened_then_has_the_same_functions():
    said = run("nm", "-D", "-P", "--defined-only", matcher_core.book.__file__, cwd=ROOT)
    header = (ROOT / "matcher_core" / "include" / "matcher_core.h").read_text()
    assert set(re.findall(r"\b(mc_[a-z_]+)\s*\(", header)) <= {line.split()[0] for line in said.splitlines()}


@pytest.mark.parametrize("compiler", [("cc", "-std=c99"), ("cc", "-std=c11"), ("c++", "-x", "c++", "-std=c++11")])
def test_header_when_included_alone_then_records_are_laid_out_as_in_records_py(
    tmp_path: Path, compiler: tuple[str, ...]
):
    """Names and offsets of COMMAND_FIELDS and EVENT_FIELDS, in C and in C++."""
    expected: list[int] = []
    shows: list[str] = []
    for name, fields in (("mc_command_t", matcher_core.COMMAND_FIELDS), ("mc_event_t", matcher_core.EVENT_FIELDS)):
        offset = 0
        for field, form in fields:
            expected.append(offset)
            shows.append(f"    SHOW({name}, {field});")
            offset += int(form[-1])
    (tmp_path / "layout.c").write_text(LAYOUT.format(shows="\n".join(shows)))
    include = ROOT / "matcher_core" / "include"
    run(*compiler, "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I", include, "layout.c", "-o", "layout", cwd=tmp_path)
    assert [int(word) for word in run(tmp_path / "layout", cwd=tmp_path).split()] == [*expected, 64, 64]


def some_commands(rng: random.Random, count: int) -> bytes:
    """Orders that meet, cancels and replaces of them, and now and then a record of any bytes for the same symbol."""
    out: list[bytes] = []
    for seq in range(count):
        if rng.random() < 0.03:
            out.append(rng.randbytes(4) + SYMBOL.to_bytes(4, "little") + rng.randbytes(56))
            continue
        op = rng.choices([Op.LIMIT, Op.MARKET, Op.CANCEL, Op.REPLACE, Op.MASS_CANCEL], [60, 5, 17, 17, 1])[0]
        tif = rng.choice([1, 2]) if op == Op.MARKET else rng.choices([0, 1, 2], [18, 1, 1])[0]
        price = 0 if op == Op.MARKET else rng.randrange(95, 106)
        ids = (seq, rng.randrange(1, 400), rng.randrange(4), 0)
        out.append(Command(op, rng.randrange(2), tif, 0, SYMBOL, *ids, price, rng.randrange(1, 30)).pack())
    return b"".join(out)


def without_python() -> dict[str, str]:
    """An environment in which nothing could lead a program to a Python by accident."""
    return {"PATH": "/nonexistent", "LC_ALL": "C"}


@pytest.mark.parametrize("name", ["replay", "replay-static"])
@pytest.mark.parametrize("stp", list(SelfTradePrevention))
def test_c_program_when_given_commands_then_answers_as_the_python_books(
    programs: Path, name: str, stp: SelfTradePrevention
):
    commands = some_commands(random.Random(a_seed()), 6_000)
    command = [str(programs / name), str(int(stp)), str(SYMBOL)]
    done = subprocess.run(command, input=commands, capture_output=True, timeout=60, check=True, env=without_python())
    fast, plain = matcher_core.Book(SYMBOL, stp=stp), ReferenceBook(SYMBOL, stp=stp)
    assert done.stdout == bytes(fast.process(commands))
    assert done.stdout == bytes(plain.process(commands))
    assert done.stderr.decode().splitlines() == [f"live {len(plain)}", *best_prices(plain)]


def best_prices(book: ReferenceBook) -> list[str]:
    """What replay.c prints at its end."""
    sides = enumerate(book.depth(1))
    return [f"{SYMBOL} {side} {level.price_ticks} {level.quantity_lots}" for side, levels in sides for level in levels]


def test_cpp_program_when_run_then_trades(programs: Path):
    command = [str(programs / "book")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, env=without_python())
    assert done.stdout.splitlines() == ["1 1 101 10", "1 2 102 4", "2 2 101 4", "5 3 0 0"]


def test_c_program_when_it_runs_then_no_python_is_mapped(programs: Path):
    """The loader's own list of what it opened."""
    env = {**without_python(), "LD_TRACE_LOADED_OBJECTS": "1"}
    said = subprocess.run([str(programs / "replay")], capture_output=True, text=True, timeout=60, check=True, env=env)
    assert "libmatcher_core.so" in said.stdout
    assert "python" not in said.stdout.lower()
