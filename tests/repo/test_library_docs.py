"""The pages of docs/library are what the sources say today, and their code runs and prints what they show."""

import importlib
import re
from pathlib import Path

import pytest

import matcher_core
from docs.generator import notebook, prose, records, rulebook, sources
from docs.generator.__main__ import LIBRARY, NOTEBOOKS, main, pages
from matcher_core.types import RejectCode
from tests.repo.sources import ROOT


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_page_is_what_the_sources_say(path: Path):
    """Otherwise: python -m docs.generator, and look at what changed."""
    assert path.read_text() == pages()[path]()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_page_that_runs_has_code_and_outputs(path: Path):
    cells = list(notebook.CELL.finditer(path.read_text()))
    assert cells
    assert any(cell["output"] for cell in cells)


def test_check_when_a_page_is_old_then_named_and_nothing_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(records, "page", lambda: "new")
    before = (LIBRARY / "records.md").read_text()
    assert main(["--check"]) == 1
    assert capsys.readouterr().out == "old: docs/library/records.md\n"
    assert (LIBRARY / "records.md").read_text() == before


def test_index_names_every_page():
    index = (LIBRARY / "README.md").read_text()
    assert [
        page.name for page in LIBRARY.glob("*.md") if page.name != "README.md" and f"]({page.name})" not in index
    ] == []


def test_links_to_headings_lead_to_one():
    lost: list[str] = []
    for page in LIBRARY.glob("*.md"):
        for target, fragment in re.findall(r"\]\(([\w./-]*\.md)?#([^)]+)\)", page.read_text()):
            text = (page.parent / (target or page.name)).read_text()
            if fragment not in map(rulebook.anchor, re.findall(r"^#+ (.*)$", text, re.MULTILINE)):
                lost.append(f"{page.name}: {target}#{fragment}")
    assert lost == []


def test_every_public_name_is_documented():
    text = (LIBRARY / "api.md").read_text() + (LIBRARY / "rulebook.md").read_text()
    words = set(re.findall(r"\w+", text))
    assert [name for name in matcher_core.__all__ if name not in words] == []


def test_every_file_of_the_rulebook_is_a_chapter_or_has_no_rules():
    files = {path.stem for path in rulebook.REFERENCE.glob("*.py")}
    assert files == {*rulebook.CHAPTERS, *rulebook.WITHOUT_RULES}


def test_every_reject_code_says_when():
    page = (LIBRARY / "rulebook.md").read_text()
    said = dict(re.findall(r"^\| (\d{3}) \| `\w+` \| (.*) \|$", page, re.MULTILINE))
    assert [code.name for code in RejectCode if not said.get(str(int(code)), "").strip()] == []


def test_readme_has_one_place_for_the_figures():
    text = (ROOT / "README.md").read_text()
    assert re.findall(r"<!-- bench:(\w+) -->", text) == ["start", "end"]


# ---- the generator ----------------------------------------------------------------------------------------------------


def test_notebook_when_run_then_outputs_are_renewed_and_names_shared():
    page = "```python\nx = 20\nprint(x)\n```\n```text\nold\n```\nProse.\n\n```python\nx + 1\n```\n\n```python\ny = x\n```\n"
    assert notebook.rerun(page, name="page") == (
        "```python\nx = 20\nprint(x)\n```\n```text\n20\n```\nProse.\n\n"
        "```python\nx + 1\n```\n```text\n21\n```\n\n```python\ny = x\n```\n"
    )


def test_notebook_when_a_block_fails_then_its_line_is_named():
    with pytest.raises(ZeroDivisionError) as caught:
        notebook.rerun("Prose.\n\n```python\n1 / 0\n```\n", name="page.md")
    assert any(str(entry.path) == "page.md, line 4" for entry in caught.traceback)


def test_prose_when_a_docstring_has_terms_numbers_and_code_then_lists_and_a_fence():
    text = "First\nline.\n\nTerm    its meaning\n        goes on.\nOther   more\n\nIn order:\n  1 one\n  2 two\n    still two\n\n    x = 1\n"
    assert prose.markdown(text) == (
        "First line.\n\n- **Term** its meaning goes on.\n- **Other** more\n\nIn order:\n\n1. one\n2. two still two\n\n"
        "```python\nx = 1\n```"
    )


def test_signature_when_long_then_wrapped_and_without_self():
    module = importlib.import_module("matcher_core.instrument")
    node = sources.a_class(Path(str(module.__file__)), "InstrumentBook")
    methods = {function.name: sources.signature(function) for function in sources.functions(node)}
    assert methods["cancel"] == "cancel(order_id: int, *, owner: int = 0, seq: int = 0) -> tuple[DecimalEvent, ...]"
    assert methods["limit"].splitlines()[0] == "limit("
    assert all(len(line) <= sources.WIDTH for line in methods["limit"].splitlines())
