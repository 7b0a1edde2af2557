"""Sanctions lists as OFAC and its mirrors publish them, read into sets of address bytes.

Formats, told apart by content: `address,name` CSV; `address,former_label,…` CSV (once listed, no longer); OFAC's sdn.csv and
sdn_comments.csv, where addresses stand in the remarks; one address a line. Lines starting with # are comments; `# as_of: YYYY-MM-DD`
dates the list, else a date in the file's or folder's name does, else the file's own date."""

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final, Literal

from tokenx_common.log import get_logger
from tokenx_kyt.addresses import is_low, parse_address

log = get_logger(__name__)

Kind = Literal["current", "former"]
_DATE: Final = re.compile(r"(\d{4}-\d{2}-\d{2})")
_AS_OF: Final = re.compile(r"^#\s*as_of:\s*(\d{4}-\d{2}-\d{2})", re.MULTILINE)
_IN_REMARKS: Final = re.compile(r"Digital Currency Address - [A-Z0-9]{2,8} (0x[0-9A-Za-z]*)")


class BadList(ValueError):
    """A list that cannot be used: no address in it at all. Screening against it would clear everybody."""


@dataclass(frozen=True)
class SanctionsList:
    """One file. version is the sha256 of its bytes; entries map address bytes to the listed name; skipped counts what was not usable."""

    source: str
    kind: Kind
    version: str
    as_of: date
    entries: dict[bytes, str]
    skipped: int


@dataclass(frozen=True)
class ListSet:
    """All lists in force. as_of is that of the oldest current list: an answer is never fresher than its oldest part."""

    lists: tuple[SanctionsList, ...]
    current: dict[bytes, str]
    former: dict[bytes, str]
    version: str
    as_of: date

    def age_days(self, today: date) -> int:
        return (today - self.as_of).days


def load_list(path: Path) -> SanctionsList:
    """Read one file. Raises BadList, OSError."""
    raw = path.read_bytes()
    text = raw.decode("utf-8-sig", errors="replace")
    rows = list(csv.reader(line for line in text.splitlines() if line.strip() and not line.startswith("#")))
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    kind: Kind = "former" if "former_label" in header else "current"
    entries, skipped = _collect(_pairs(rows, header))
    if not entries:
        raise BadList(f"{path.name} holds no EVM address")
    if skipped:
        log.warning("list.entries_skipped", source=path.name, skipped=skipped)
    return SanctionsList(path.name, kind, hashlib.sha256(raw).hexdigest(), _as_of(path, text), entries, skipped)


def load_lists(paths: Iterable[Path]) -> ListSet:
    """All lists together; a current entry outweighs a former one. Raises BadList when none of them is a current list."""
    lists = tuple(load_list(path) for path in paths)
    current: dict[bytes, str] = {}
    former: dict[bytes, str] = {}
    for one in lists:
        (current if one.kind == "current" else former).update(one.entries)
    dates = [one.as_of for one in lists if one.kind == "current"]
    if not dates:
        raise BadList("there is no list of current entries")
    version = hashlib.sha256("".join(sorted(one.version for one in lists)).encode()).hexdigest()
    former = {address: label for address, label in former.items() if address not in current}
    return ListSet(lists, current, former, version, min(dates))


def _pairs(rows: list[list[str]], header: list[str]) -> Iterator[tuple[str, str]]:
    """(address text, name) of each entry, whatever the format."""
    if "address" in header:
        at, name_at = header.index("address"), 1 - header.index("address")
        for row in rows[1:]:
            yield row[at].strip(), row[name_at].strip() if len(row) > name_at else ""
        return
    for row in rows:
        if len(row) == 1:
            yield row[0].strip(), ""
        else:  # sdn.csv: number, name, …, remarks; sdn_comments.csv: number, remarks
            name = row[1].strip() if len(row) > 2 else f"SDN {row[0].strip()}"
            for found in _IN_REMARKS.finditer(row[-1]):
                yield found[1], name


def _collect(pairs: Iterable[tuple[str, str]]) -> tuple[dict[bytes, str], int]:
    """Low addresses and addresses of other kinds of chains (or cut off by OFAC's column limit) are left out and counted."""
    entries: dict[bytes, str] = {}
    skipped = 0
    for text, name in pairs:
        try:
            address = parse_address(text)
        except ValueError:
            skipped += 1
            continue
        if is_low(address):
            skipped += 1
        else:
            entries[address] = name
    return entries, skipped


def _as_of(path: Path, text: str) -> date:
    for found in (_AS_OF.search(text), _DATE.search(path.name), _DATE.search(path.parent.name)):
        if found:
            return date.fromisoformat(found[1])
    return datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
