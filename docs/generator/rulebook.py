"""rulebook.md: the docstrings of matcher_core/reference in reading order, and the tables of types.py."""

import re
from enum import IntEnum

from docs.generator import combinations, prose, sources
from docs.generator.sources import CORE, Function
from matcher_core import types

REFERENCE = CORE / "reference"
CHAPTERS = ("states", "checks", "matching", "effects", "stops", "pegs", "auctions", "settling", "data")
"""Files with rules, in the order a reader needs them."""
WITHOUT_RULES = ("__init__", "book", "calls", "engine", "images", "tally")
ENUMS = (
    "Side", "OrderType", "TimeInForce", "Op", "CommandFlag", "PegKind", "BookState", "SelfTradePrevention", "Place",
    "EventType", "CancelReason", "TriggerReason", "BandKind",
)  # fmt: skip
CODES = re.compile(r"^(\d{3})(?: to (\d{3}))?\. +(.+)$", re.DOTALL)
PREFACE = """\
# The rulebook of the order book

Every rule of `matcher_core`, as the plain Python in [matcher_core/reference](../../matcher_core/reference) states it. The
compiled book is tested against that code: the same events, refusals, snapshots and hashes for the same commands.

This page is written by `python -m docs.generator` from the docstrings of those files; change them, not it. The words are
those of [the glossary](../glossary.md); byte layouts are in [records.md](records.md), calls in [api.md](api.md).
"""


def page() -> str:
    chapters = [(name, *_heading_and_text(name)) for name in CHAPTERS]
    contents = [f"- [{heading}](#{anchor(heading)})" for _, heading, _ in chapters]
    parts = [
        PREFACE.rstrip(),
        "\n".join(
            [
                *contents,
                "- [What goes together](#what-goes-together)",
                "- [Reject codes](#reject-codes)",
                "- [Numbers and names](#numbers-and-names)",
            ]
        ),
        prose.markdown(sources.doc(sources.tree(REFERENCE / "__init__.py")).partition("\n\n")[2]),
        *(_chapter(*chapter) for chapter in chapters),
        _combinations(),
        _reject_codes(),
        _enums(),
    ]
    return "\n\n".join(parts) + "\n"


def _heading_and_text(name: str) -> tuple[str, str]:
    """The first sentence of a module, up to its colon or full stop, is the heading; the rest is the text."""
    whole = sources.doc(sources.tree(REFERENCE / f"{name}.py"))
    found = re.match(r"(.+?)[:.](?:\s|$)", whole, re.DOTALL)
    assert found is not None, f"{name}.py needs a docstring that begins with a sentence"
    rest = whole[found.end() :].lstrip()
    return prose.one_line(found.group(1)), rest[:1].upper() + rest[1:]


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _chapter(name: str, heading: str, text: str) -> str:
    path = REFERENCE / f"{name}.py"
    link = f"[matcher_core/reference/{name}.py](../../matcher_core/reference/{name}.py)"
    rules = [_rule(function) for function in sources.functions(sources.tree(path)) if sources.doc(function)]
    for node in sources.classes(path):
        rules += [f"- **{node.name}** {prose.one_line(sources.doc(node))}"] if sources.doc(node) else []
        rules += [_rule(function) for function in sources.functions(node) if sources.doc(function)]
    return "\n\n".join([f"## {heading}", prose.markdown(text), f"In {link}:", "\n".join(rules)])


def _rule(function: Function) -> str:
    return f"- `{function.name}`: {prose.one_line(sources.doc(function))}"


def _combinations() -> str:
    return "\n\n".join(
        [
            "## What goes together",
            "These tables are the answers of the rulebook itself. A number is the code an order is refused with.",
            "### Orders and times in force",
            combinations.orders_by_time_in_force(),
            "### Commands and states of the book",
            "The call states are shown with a pending call, as they are until the uncross. While one is pending, "
            "CANCEL_ONLY and HALTED refuse the way to TRADING with 206 too.",
            combinations.commands_by_state(),
        ]
    )


def _reject_codes() -> str:
    """Number, name and meaning. The meaning is the comment beside the member, and the rule that begins with its number."""
    rules = _numbered_rules()
    parts = ["## Reject codes", prose.markdown(sources.doc(sources.a_class(CORE / "types.py", "RejectCode")))]
    rows = list[tuple[str, str, str]]()
    for member in sources.members(CORE / "types.py", "RejectCode"):
        if member.heading and rows:
            parts.append(prose.table(("code", "name", "when"), rows))
            rows = []
        if member.heading:
            parts.append(f"**{member.heading}**")
        meaning = " ".join(text for text in (member.comment, rules.get(int(member.value), "")) if text)
        rows.append((member.value, f"`{member.name}`", prose.cell(meaning)))
    return "\n\n".join([*parts, prose.table(("code", "name", "when"), rows)])


def _numbered_rules() -> dict[int, str]:
    """What the checks say that begin with the number of their code."""
    found = [
        CODES.match(sources.doc(function)) for function in sources.functions(sources.tree(REFERENCE / "checks.py"))
    ]
    return {int(match.group(1)): match.group(3) for match in found if match is not None and not match.group(2)}


def _enums() -> str:
    parts = ["## Numbers and names", "They are part of the records and never change their meaning."]
    for name in ENUMS:
        text = sources.doc(sources.a_class(CORE / "types.py", name))
        parts += [f"### {name}", *([prose.markdown(text)] if text else []), _members(name)]
    return "\n\n".join(parts)


def _members(name: str) -> str:
    values: type[IntEnum] = getattr(types, name)
    rows = [
        (str(int(values[member.name])), f"`{member.name}`", prose.cell(member.comment))
        for member in sources.members(CORE / "types.py", name)
    ]
    if any(comment for _, _, comment in rows):
        return prose.table(("value", "name", ""), rows)
    return prose.table(("value", "name"), [row[:2] for row in rows])
