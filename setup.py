"""Builds matcher_core.book. Everything else about the package is in pyproject.toml.

The build fails on any Cython warning or performance hint: a missing `noexcept` makes each call take the GIL, which costs a
hundred times what the call does. TOKENX_DEBUG_BUILD=1 builds without optimisation and with every check on.
"""

import importlib.util
import io
import os
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import cast

from Cython.Build import cythonize  # pyright: ignore[reportUnknownVariableType]  # Cython ships no types for it
from setuptools import Extension, setup

ROOT = Path(__file__).resolve().parent
DEBUG = os.environ.get("TOKENX_DEBUG_BUILD") == "1"
DIRECTIVES = {
    "language_level": 3,
    "embedsignature": True,
    "cdivision": not DEBUG,
    "boundscheck": DEBUG,
    "wraparound": False,
    "initializedcheck": DEBUG,
    "overflowcheck": False,
    "freethreading_compatible": True,  # every call claims its engine with an atomic exchange
    "show_performance_hints": True,
    "warn.undeclared": False,
    "warn.unreachable": True,
    "warn.maybe_uninitialized": True,
}
COMPLAINT = re.compile(r"^(warning|performance hint|error)\b", re.MULTILINE | re.IGNORECASE)


def build_id() -> str:
    """matcher_core.build.source_id(), loaded from its file because the package itself is not built yet."""
    spec = importlib.util.spec_from_file_location("_tokenx_build", ROOT / "matcher_core" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.source_id(ROOT)


def compiler_flags() -> list[str]:
    """What the C compiler of this platform is told, MSVC in its own words."""
    if sys.platform == "win32":
        return ["/Od", "/Zi"] if DEBUG else ["/O2"]
    return ["-O0", "-g"] if DEBUG else ["-O3", "-fno-semantic-interposition"]


def c_functions() -> list[str]:
    """The C interface, which Windows exports only by name."""
    header = (ROOT / "matcher_core" / "include" / "matcher_core.h").read_text()
    return re.findall(r"^[a-z].*?\b(mc_\w+)\(", header, re.MULTILINE)


def compile_cython() -> list[Extension]:
    """Translate to C, show what the compiler said, and stop if it complained."""
    if sys.byteorder != "little":
        sys.exit("matcher_core needs a little-endian machine: its records are read in place")
    book = Extension(
        "matcher_core.book",
        ["matcher_core/book.pyx"],
        define_macros=[("TOKENX_BUILD_ID", f'"{build_id()}"'), *([("TOKENX_DEBUG", "1")] if DEBUG else [])],
        extra_compile_args=compiler_flags(),
        export_symbols=c_functions(),
    )
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            extensions = cast(list[Extension], cythonize([book], compiler_directives=DIRECTIVES, force=True))
    finally:
        sys.stderr.write(said.getvalue())
    if COMPLAINT.search(said.getvalue()):
        sys.exit("Cython complained (above); matcher_core is only built without warnings and performance hints")
    return extensions


# Other commands, such as sdist and metadata, need no compiler.
NEEDS_EXTENSION = {"build", "build_ext", "bdist_wheel", "install", "develop", "editable_wheel", "bdist"}
setup(ext_modules=compile_cython() if NEEDS_EXTENSION & set(sys.argv) else [Extension("matcher_core.book", [])])
