"""Builds the fuzz targets: the libFuzzer program with clang and its sanitizers, and the extension for Python under the same ones."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from clib.build import HEADER, ROOT, SECTIONS, source

HERE = ROOT / "fuzz"
SANITIZERS = "address,undefined"
ONE_REPORT = ("-fno-sanitize-recover=all", "-fno-omit-frame-pointer")


def clang() -> str:
    """The newest clang found. libFuzzer comes with clang and with nothing else."""
    names = [os.environ.get("FUZZ_CC", "clang"), *(f"clang-{version}" for version in range(22, 13, -1))]
    for name in names:
        if shutil.which(name):
            return name
    raise SystemExit(
        "fuzzing needs clang with its runtime libraries (Debian: apt install clang libclang-rt-19-dev llvm)"
    )


def run(*command: str | Path) -> None:
    subprocess.run([*map(str, command)], check=True)


def process_target(out: Path) -> Path:
    """The libFuzzer program, with the assertions of a debug build and optimisation light enough to name lines."""
    made_from = source()
    target, book = out / "process", out / "book.o"
    include = ("-I", HEADER.parent, "-I", sysconfig.get_path("include"))
    compiler = (clang(), "-O1", "-g", *ONE_REPORT, *include)
    macros = (*made_from.macros, "-DTOKENX_DEBUG")
    run(
        *compiler, "-w", f"-fsanitize=fuzzer-no-link,{SANITIZERS}", *SECTIONS, *macros, "-c", made_from.path, "-o", book
    )
    link = (f"-fsanitize=fuzzer,{SANITIZERS}", "-Wl,--gc-sections")
    run(*compiler, *link, HERE / "process.c", book, traps(book, out / "traps.c"), "-o", target)
    return target


def traps(book: Path, target: Path) -> Path:
    """A definition for every symbol of Python that the object names.

    The sanitizers' tables keep functions that nothing calls, and with them what these call. Reaching one of them ends the program.
    """
    said = subprocess.run(["nm", "-u", "-P", book], capture_output=True, text=True, check=True).stdout
    names = [line.split()[0] for line in said.splitlines() if re.match(r"_?Py", line)]
    target.write_text("#include <stdlib.h>\n" + "".join(f"void {name}(void) {{ abort(); }}\n" for name in names))
    return target


def replay_program(cc: str, library: Path, out: Path) -> Path:
    """The same checks over files, on a library that clib.build made, with any C compiler."""
    sources = (HERE / "replay.c", HERE / "process.c", library / "libmatcher_core.a")
    run(cc, "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-I", library / "include", *sources, "-o", out)
    return out


def extension(folder: Path) -> Path:
    """The package with its extension under the sanitizers of gcc, in a folder of its own."""
    flags = ("-O1", "-g", "-DTOKENX_DEBUG", f"-fsanitize={SANITIZERS}", *ONE_REPORT)
    environment = {**os.environ, "CC": "gcc", "CFLAGS": " ".join(flags)}
    command = (
        sys.executable,
        "setup.py",
        "-q",
        "build",
        "--build-lib",
        folder,
        "--build-temp",
        folder.with_suffix(".tmp"),
    )
    subprocess.run([*map(str, command)], check=True, cwd=ROOT, env=environment)
    return folder


def preload() -> str:
    """The sanitizer's library, which a program that was not built with it must load first."""
    done = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    return done.stdout.strip()
