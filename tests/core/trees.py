"""Copies of the source tree, so that tests which build leave nothing behind in it, and a way to run what they build."""

import os
import shutil
import subprocess
from pathlib import Path

import matcher_core

ROOT = Path(matcher_core.__file__).resolve().parent.parent
PRODUCTS = shutil.ignore_patterns("*.so", "*.c", "book.h", "*.html", "__pycache__")


def run(*command: str | Path, cwd: Path, status: int = 0) -> str:
    """Run, check the exit status, return everything the command said."""
    done = subprocess.run(
        [*map(str, command)],
        cwd=cwd,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=280,
        check=False,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
    )
    assert (done.returncode == 0) is (status == 0), done.stdout[-4000:]
    return done.stdout


def copy_tree(target: Path, *folders: str) -> Path:
    """The sources a wheel is made of, without build products, and other folders of the root as they are."""
    target.mkdir()
    for name in ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, target)
    for package in [p for p in ROOT.iterdir() if p.name == "matcher_core" or p.name.startswith("tokenx_")]:
        if package.is_dir():
            shutil.copytree(package, target / package.name, ignore=PRODUCTS)
    for folder in folders:
        shutil.copytree(ROOT / folder, target / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return target
