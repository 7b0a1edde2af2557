"""`python -m docs.generator [--check]`: write the generated pages and the outputs in the tutorial, or say which are old."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from docs.generator import api, notebook, records, rulebook
from docs.generator.sources import ROOT

LIBRARY = ROOT / "docs" / "library"
NOTEBOOKS = (LIBRARY / "tutorial.md", ROOT / "README.md")


def pages() -> dict[Path, Callable[[], str]]:
    """Each page with what makes its text."""
    made: dict[Path, Callable[[], str]] = {
        LIBRARY / "rulebook.md": rulebook.page,
        LIBRARY / "records.md": records.page,
        LIBRARY / "api.md": api.page,
    }
    for path in NOTEBOOKS:
        made[path] = lambda path=path: notebook.rerun(path.read_text(), name=path.name)
    return made


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m docs.generator", description="The pages of docs/library.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is old")
    check = parser.parse_args(argv).check
    old = [path for path, make in pages().items() if not path.exists() or make() != path.read_text()]
    for path in old:
        sys.stdout.write(f"{'old' if check else 'written'}: {path.relative_to(ROOT)}\n")
        if not check:
            path.write_text(pages()[path]())
    return 1 if check and old else 0


if __name__ == "__main__":
    sys.exit(main())
