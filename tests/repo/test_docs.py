"""Documents name files that exist: relative links, and paths in backticks."""

import re
from pathlib import Path

import pytest

from tests.repo.sources import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")])
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")
PATH = re.compile(r"`([a-z_.][\w.-]*(?:/[\w.-]+)+/?|[\w-]+/)`")
GENERATED = (".venv/", ".tokenx/", ".cache/", "contracts/out", "dist/")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_links_lead_somewhere(document: Path) -> None:
    missing = [target for target in LINK.findall(document.read_text()) if not (document.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=name)
def test_named_paths_exist(document: Path) -> None:
    """A path may be relative to the root, to the document, or to the api package, whose domains are named without it."""
    homes = (
        ROOT,
        document.parent,
        ROOT / "tokenx_api",
        ROOT / "tokenx_chain",
        ROOT / "tokenx_matcher",
        ROOT / "tokenx_kyt",
    )
    missing = [
        path
        for path in PATH.findall(document.read_text())
        if not path.startswith(GENERATED) and not any((home / path).exists() for home in homes)
    ]
    assert not missing
