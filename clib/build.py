"""Builds the order book as a C library that needs no Python: python -m clib.build --out build/clib

The compiled book is C that Cython wrote: some functions serve Python, the rest never touch it. Here the same C is compiled with one
section per function, and the linker keeps only what the mc_* functions reach. Undefined symbols are errors at that link, so a
mc_* function that came to reach a Python object would fail this build. Writes libmatcher_core.so, libmatcher_core.a and
include/matcher_core.h. For GNU or LLVM tools and ELF, that is Linux; Windows and macOS link differently.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple, cast

ROOT = Path(__file__).resolve().parent.parent
HEADER = ROOT / "matcher_core" / "include" / "matcher_core.h"
SECTIONS = ("-ffunction-sections", "-fdata-sections")
PROTOTYPE = re.compile(r"\b(mc_[a-z_]+)\s*\(")


class Source(NamedTuple):
    """The generated C file and the -D arguments setup.py compiles it with."""

    path: Path
    macros: list[str]
    flags: list[str]


def source() -> Source:
    """Translate the book to C exactly as a build of the extension does, because setup.py itself is asked to do it."""
    from distutils import core  # pyright: ignore  # typed in no version that still has it

    import setuptools  # pyright: ignore[reportUnusedImport]  # noqa: F401  # brings distutils.core to Python 3.12 and newer

    with chdir(ROOT):  # setup.py names its files relative to the root
        distribution: Any = core.run_setup("setup.py", ["build_ext"], stop_after="init")  # Any: untyped
    (book,) = cast(list[Any], distribution.ext_modules)  # Any: untyped
    return Source(
        ROOT / book.sources[0],
        [f"-D{name}={value}" for name, value in book.define_macros],
        list(book.extra_compile_args),
    )


def functions(header: Path = HEADER) -> list[str]:
    """The names of the functions the header declares, in its order."""
    without_comments = re.sub(r"/\*.*?\*/", "", header.read_text(), flags=re.DOTALL)
    return list(dict.fromkeys(PROTOTYPE.findall(without_comments)))


def run(*command: str | Path) -> None:
    subprocess.run([*map(str, command)], check=True)


def compile_object(cc: str, made_from: Source, target: Path, include: Path) -> Path:
    run(cc, "-fPIC", *made_from.flags, *SECTIONS, *made_from.macros, f"-I{include}", "-c", made_from.path, "-o", target)
    return target


def link_shared(cc: str, book: Path, out: Path) -> None:
    arguments = ("-Wl,--gc-sections", "-Wl,--no-undefined", f"-Wl,--version-script={ROOT / 'clib' / 'exports.map'}")
    library = out / "libmatcher_core.so"
    run(cc, "-shared", *arguments, "-Wl,-soname,libmatcher_core.so", "-Wl,-s", book, "-o", library)


def link_static(cc: str, book: Path, out: Path) -> None:
    """One object holding what the mc_* functions reach, its other names local, in an archive."""
    kept, archive = out / "matcher_core.o", out / "libmatcher_core.a"
    archive.unlink(missing_ok=True)
    roots = [f"-Wl,-u,{name}" for name in functions()]
    run(cc, "-nostdlib", "-r", "-Wl,--gc-sections", *roots, book, "-o", kept)
    run("objcopy", "--wildcard", "--keep-global-symbol=mc_*", "--strip-unneeded", kept)
    run("ar", "rcsD", archive, kept)
    kept.unlink()


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m clib.build", description="Build matcher_core as a C library.")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "clib")
    parser.add_argument("--cc", default=os.environ.get("CC", "cc"), help="a gcc or clang (default: $CC or cc)")
    parser.add_argument("--python-include", type=Path, default=Path(sysconfig.get_path("include")),
                        help="Python headers of the target; the library contains nothing of them")  # fmt: skip
    arguments = parser.parse_args(argv)
    out: Path = arguments.out.resolve()
    (out / "include").mkdir(parents=True, exist_ok=True)
    shutil.copy(HEADER, out / "include")
    book = compile_object(arguments.cc, source(), out / "book.o", arguments.python_include)
    link_shared(arguments.cc, book, out)
    link_static(arguments.cc, book, out)
    book.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
