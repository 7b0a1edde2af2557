"""Docstrings as Markdown: paragraphs, `Term   meaning` lists, indented `1 numbered` lists, and indented blocks as code."""

import re
from collections.abc import Iterable, Sequence

TERM = re.compile(r"^ *(\S(?:.*?\S)?) {2,}(\S.*)$")
NUMBERED = re.compile(r"^ +(\d)\.? (\S.*)$")


def markdown(text: str) -> str:
    """A whole docstring."""
    return "\n\n".join(_block(block) for block in _blocks(text.splitlines()))


def one_line(text: str) -> str:
    """A docstring as one paragraph, for lists and table cells."""
    return " ".join(text.split())


def cell(text: str) -> str:
    return one_line(text).replace("|", "\\|")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", f"|{'---|' * len(head)}", *body])


def fenced(text: str, language: str = "") -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def _blocks(lines: list[str]) -> Iterable[list[str]]:
    """Runs of lines of one kind: a paragraph, a list, or code. An empty line ends a paragraph and a list."""
    block: list[str] = []
    for line in lines:
        if block and (not line.strip() or _starts_anew(block, line)):
            yield block
            block = []
        if line.strip():
            block.append(line)
    if block:
        yield block


def _starts_anew(block: list[str], line: str) -> bool:
    """Whether a line is of another kind than the block before it. What is indented behind a list item belongs to it."""
    item = _item(line) is not None
    if _item(block[0]) is not None:
        return not item and not line.startswith(" ")
    return item


def _item(line: str) -> str | None:
    """A line that begins an item of a list, as Markdown."""
    if found := NUMBERED.match(line):
        return f"{found.group(1)}. {found.group(2)}"
    found = TERM.match(line)
    return f"- **{found.group(1)}** {found.group(2)}" if found else None


def _block(block: list[str]) -> str:
    if _item(block[0]) is not None:
        return "\n".join(_items(block))
    if all(line.startswith("    ") for line in block):
        return fenced("\n".join(line[4:] for line in block), "python")
    return one_line(" ".join(block))


def _items(block: list[str]) -> Iterable[str]:
    item = ""
    for line in block:
        begun = _item(line)
        if begun is not None and item:
            yield item
        item = begun if begun is not None else f"{item} {line.strip()}"
    yield item
