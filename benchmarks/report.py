"""The result of benchmarks.peers as a table on the terminal and as docs/benchmarks/matching.md."""

from pathlib import Path
from typing import Any, TypeAlias

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks" / "matching.md"
Row: TypeAlias = dict[str, Any]

MIX = ("resting", "engine", "version", "operations", "ns/operation", "best", "times reference", "what")
FEED = ("resting", "engine", "version", "messages", "ns/message", "best", "times reference")
SINGLE = ("resting", "engine", "p50 ns", "p99 ns", "p99.9 ns")
MEMORY = ("resting", "ids", "bytes", "bytes an order")


def mix_cells(row: Row) -> tuple[str, ...]:
    if row["diverges"]:
        return (f"{row['resting']:,}", row["engine"], "", "", "diverges", "", "", "its trades are not the reference's")
    return (*feed_cells(row), row["what"])


def feed_cells(row: Row) -> tuple[str, ...]:
    head = (f"{row['resting']:,}", row["engine"], row["version"], f"{row['operations']:,}")
    if row["diverges"]:
        return (*head, "diverges", "", "")
    return (
        *head,
        short(row["ns_per_operation"]),
        short(row["ns_per_operation_best"]),
        f"{row['times_reference']:,.3g}",
    )


def single_cells(row: Row) -> tuple[str, ...]:
    return (f"{row['resting']:,}", row["engine"], *(f"{row[name]:,}" for name in ("p50_ns", "p99_ns", "p999_ns")))


def memory_cells(row: Row) -> tuple[str, ...]:
    return (f"{row['resting']:,}", row["ids"], f"{row['bytes']:,}", f"{row['bytes_per_order']:.1f}")


def short(ns: float) -> str:
    return f"{ns:,.1f}" if ns < 100 else f"{ns:,.0f}"


SECTIONS = (
    ("mix", MIX, mix_cells),
    ("feed", FEED, feed_cells),
    ("single", SINGLE, single_cells),
    ("memory", MEMORY, memory_cells),
)


def tables(result: Row) -> str:
    return "\n\n".join(f"{name}\n{plain(head, [cells(row) for row in result[name]])}" for name, head, cells in SECTIONS)


def plain(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows))
    return "\n".join(line.rstrip() for line in lines)


def markdown(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = (head, tuple("---" for _ in head), *rows)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def page(result: Row) -> str:
    found = {name: markdown(head, [cells(row) for row in result[name]]) for name, head, cells in SECTIONS}
    busy = f"{result['processors']} processors, load {result['load_average']} before"
    machine = f"{result['processor']} ({busy}), {result['system']}, Python {result['python']}, {result['compiler']}"
    return TEXT.format(machine=machine, seed=result["seed"], rounds=result["rounds"], build=result["build_id"][:16],
                       commit=result["commit"][:12], **found)  # fmt: skip


TEXT = """# Matching: our book beside its reference and its Python peers

This page is written by `python -m benchmarks.peers --write`; change the program, not the page.

    pip install -e .[bench] && make clib
    python -m benchmarks.peers --json benchmarks/results/NAME.json --write

Measured on {machine}; seed {seed}, {rounds} rounds, commit {commit}, build {build}.

## How it is measured

One process, one thread, CPU time. Every round runs every engine once from a fresh, warm book, in an order drawn anew; a ratio is taken within a
round and the median over the rounds is shown. **Compare ratios, not times**: times move with what else the machine does, and ratios below 1.3
count as equal. Making commands and a peer's own objects is not timed; Python's garbage collector is off for all. Slow engines are given only
the first operations of the same list.

An engine counts only if every trade (maker, taker, price, quantity, in order) is the reference's; otherwise it says *diverges* and has no time.

## Mix: new, cancel and match

52 % new orders, 43 % cancels, 5 % aggressive, around a drifting price, dense ids (`benchmarks/workload.py`). `c-batch-N` is the same book from C
without an interpreter (`benchmarks/native.py`); `c-batch-1` is what one command costs by itself, `compiled-calls` what it costs from Python.

{mix}

The reference is written to be read, not to be fast; what two engines are to each other is the quotient of their ratios. order-matching is
measured with 1,000 resting orders only: it needs about half a millisecond for an operation there and longer with more.

## Feed: add, update and delete only

nautilus_trader's `OrderBook` replays a venue's order-by-order feed and does not match orders with each other, so it can only be compared in
that: the adds, updates and deletes the mix leads to, its own objects made beforehand. All books that kept the feed must end with the same best
prices.

{feed}

## Single calls

By the steady clock, all rounds together, with what reading the clock costs taken off. On a shared machine the last column shows the neighbours
as much as the engine.

{single}

## Memory

`memory_bytes()` over resting orders; every order has an owner, 2,000 prices a side. Counted ids are kept in pages, ids drawn from 64 bits in a
hash table.

{memory}
"""
