"""records.md: the byte layouts of commands, events and snapshots, as records.py and snapshot.py state and define them."""

import struct

from docs.generator import prose, sources
from docs.generator.sources import CORE
from matcher_core import records, snapshot

PREFACE = """\
# Records and snapshots

The binary formats of `matcher_core`. All numbers are little-endian and never change their meaning; a snapshot says its version.
This page is written by `python -m docs.generator` from [records.py](../../matcher_core/records.py) and
[snapshot.py](../../matcher_core/snapshot.py). The names behind the numbers are in [the rulebook](rulebook.md#numbers-and-names).

Commands and events are 64 bytes each, so an array of them is a C array, a NumPy array or a file without conversion.
`numpy.dtype(COMMAND_FIELDS)` and its two sisters have the columns below; the tables are made from them.
"""
RECORDS = (
    ("COMMAND", records.COMMAND, records.COMMAND_FIELDS),
    ("DETAILS", records.DETAILS, records.DETAILS_FIELDS),
    ("EVENT", records.EVENT, records.EVENT_FIELDS),
)
STRUCTS = ("HEADER", "ORDER", "DETAIL", "ENGINE_HEADER", "LENGTH")


def page() -> str:
    parts = [PREFACE.rstrip(), "## What the fields mean", prose.fenced(_layout("records"), "text")]
    for name, packed, fields in RECORDS:
        parts += [f"## {name}", f"`struct` format `{packed.format}`, {packed.size} bytes.", _fields(fields)]
    rows = [(f"`{name}`", f"`{_struct(name).format}`", str(_struct(name).size)) for name in STRUCTS]
    parts += [
        "## Snapshots",
        prose.fenced(_layout("snapshot"), "text"),
        prose.table(("part", "`struct` format", "bytes"), rows),
    ]
    return "\n\n".join(parts) + "\n"


def _layout(module: str) -> str:
    return sources.doc(sources.tree(CORE / f"{module}.py"))


def _struct(name: str) -> struct.Struct:
    return getattr(snapshot, name)


def _fields(fields: list[tuple[str, str]]) -> str:
    rows, offset = list[tuple[str, str, str]](), 0
    for name, kind in fields:
        rows.append((str(offset), f"`{kind}`", f"`{name}`"))
        offset += int(kind[-1])
    return prose.table(("offset", "type", "field"), rows)
