"""Small aligned tables for people. Numbers stand right, words left."""

from collections.abc import Sequence


def count(value: int) -> str:
    """1234567 -> 1,234,567"""
    return f"{value:,}"


def pairs(rows: Sequence[tuple[str, str]]) -> str:
    """Name and value on each line; a row without a name is an empty line."""
    width = max(len(name) for name, _ in rows)
    return "".join(f"{name:{width}}  {value}\n" if name else "\n" for name, value in rows)


def columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column stands left, all others right."""
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]

    def line(row: Sequence[str]) -> str:
        cells = [f"{row[0]:{widths[0]}}", *(f"{cell:>{widths[at]}}" for at, cell in enumerate(row[1:], 1))]
        return "  ".join(cells).rstrip() + "\n"

    return line(head) + line(["-" * width for width in widths]) + "".join(map(line, rows))
