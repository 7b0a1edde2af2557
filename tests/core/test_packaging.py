"""What is built is what is in the tree, complaints of Cython stop the build, and both archives install by themselves.

Works on a copy of the tree, so nothing is left behind in it.
"""

import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import matcher_core
import matcher_core.book
from matcher_core.build import source_id
from tests.core.trees import ROOT, copy_tree, run

USE = "from matcher_core import Book, Side; b = Book(); b.limit(1, Side.SELL, 5, 2); print(len(b.limit(2, Side.BUY, 5, 1)))"


def test_build_id_when_the_extension_is_current_then_equals_the_source():
    assert source_id() == matcher_core.BUILD_ID


def test_source_id_when_a_source_changes_then_differs(tmp_path: Path):
    tree = copy_tree(tmp_path / "tree")
    assert source_id(tree) == source_id()
    for name in ("setup.py", "matcher_core/book.pyx", "matcher_core/book.pxd", "matcher_core/_match.pxi"):
        before = source_id(tree)
        (tree / name).write_text((tree / name).read_text() + "\n")
        assert source_id(tree) != before


@pytest.mark.parametrize(
    ("code", "complaint"),
    [
        (
            "cdef void takes_the_gil() nogil:\n    pass\n\ndef call():\n    with nogil:\n        takes_the_gil()\n",
            "hint",
        ),
        (
            "cdef int unset(bint maybe) noexcept:\n    cdef int x\n    if maybe:\n        x = 1\n    return x\n",
            "warning",
        ),
    ],
    ids=["performance-hint", "warning"],
)
def test_build_when_cython_complains_then_fails(tmp_path: Path, code: str, complaint: str):
    tree = copy_tree(tmp_path / "tree")
    with (tree / "matcher_core" / "_match.pxi").open("a") as source:
        source.write("\n\n" + code)
    said = run(sys.executable, "setup.py", "build_ext", "--inplace", cwd=tree, status=1)
    assert complaint in said
    assert "only built without warnings" in said
    assert not list(tree.glob("matcher_core/*.so"))


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A wheel and an sdist made by `python -m build`, the wheel from the sdist as a release would."""
    folder = tmp_path_factory.mktemp("archives")
    tree = copy_tree(folder / "tree")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, cwd=tree)
    return {"wheel": next(folder.glob("*.whl")), "sdist": next(folder.glob("*.tar.gz"))}


def test_wheel_when_opened_then_has_the_book_its_types_and_every_package(archives: dict[str, Path]):
    names = zipfile.ZipFile(archives["wheel"]).namelist()
    assert any(n.startswith("matcher_core/book.") and n.endswith(".so") for n in names)
    assert {"matcher_core/py.typed", "matcher_core/book.pyi", "matcher_core/book.pxd"} <= set(names)
    assert [n for n in names if n.endswith(".h")] == ["matcher_core/include/matcher_core.h"]
    packages = {p.parent.name for p in ROOT.glob("tokenx_*/__init__.py")}
    assert packages <= {n.split("/")[0] for n in names}
    assert not any(n.startswith(("tests", "benchmarks")) or n.endswith(".c") for n in names)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_archive_when_installed_into_an_empty_environment_then_works_alone(
    archives: dict[str, Path], tmp_path: Path, kind: str
):
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", archives[kind], cwd=tmp_path)
    assert run(python, "-c", USE, cwd=tmp_path) == "2\n"
    installed = run(python, "-m", "pip", "list", "--format=freeze", cwd=tmp_path)
    assert {line.split("==")[0] for line in installed.split()} <= {"pip", "setuptools", "tokenx"}


CYTHON_USER = """
# cython: language_level=3
cimport matcher_core.book as core
from matcher_core import Book, Side

cdef extern from "matcher_core.h":
    ctypedef struct mc_command_t:
        pass
    ctypedef struct mc_event_t:
        pass

def sizes():
    return sizeof(core.command_t), sizeof(core.event_t), sizeof(mc_command_t), sizeof(mc_event_t)

def trade(core.Book book):
    book.limit(1, Side.SELL, 5, 2)
    return len(book.limit(2, Side.BUY, 5, 1))

def a_book():
    cdef core.Book book = Book()
    return book

def without_python():
    # a refused command and its code, by functions that need no linking
    cdef core.command_t c
    cdef unsigned int symbol = 0
    cdef core.engine_t *e = core.mc_engine_new(&symbol, 1, 1, 10)
    cdef long long count
    c.op = 99
    with nogil:
        count = core.mc_process(e, &c, 1)
    code = core.mc_events(e).code
    core.mc_engine_free(e)
    return count, code
"""
CYTHON_SETUP = """
from Cython.Build import cythonize
from setuptools import Extension, setup
import matcher_core
setup(name="user", ext_modules=cythonize([Extension("user", ["user.pyx"], include_dirs=[matcher_core.get_include()])]))
"""


@pytest.mark.timeout(300)
def test_wheel_when_installed_then_a_cython_extension_builds_on_its_headers(archives: dict[str, Path], tmp_path: Path):
    """In a fresh environment with nothing but the wheel, Cython and setuptools."""
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", archives["wheel"], "cython==3.3.1", "setuptools>=80", cwd=tmp_path)
    (tmp_path / "user.pyx").write_text(CYTHON_USER)
    (tmp_path / "setup.py").write_text(CYTHON_SETUP)
    run(python, "setup.py", "build_ext", "--inplace", cwd=tmp_path)
    use = "import user; print(*user.sizes(), user.trade(user.a_book()), *user.without_python())"
    assert run(python, "-c", use, cwd=tmp_path) == "64 64 64 64 2 1 101\n"


def test_benchmarks_when_the_build_is_stale_then_refuse_with_status_2(tmp_path: Path):
    tree = copy_tree(tmp_path / "tree")
    shutil.copytree(ROOT / "benchmarks", tree / "benchmarks", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(matcher_core.book.__file__, tree / "matcher_core")
    with (tree / "matcher_core" / "_match.pxi").open("a") as source:
        source.write("# changed\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "benchmarks/bench_book.py"]
    done = subprocess.run(command, cwd=tree, text=True, capture_output=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "was built from other sources" in done.stdout + done.stderr
