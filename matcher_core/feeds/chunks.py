"""What every reader hands to a replay: pieces of packed commands, with the fills the venue recorded for them."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

Bytes: TypeAlias = bytes | bytearray | memoryview


class Fill(NamedTuple):
    """A fill of a resting order (or of an aggressor, where the venue reports it) as recorded, in the ticks of the commands.

    `seq` is that of the command that is to reproduce it.
    """

    seq: int
    order_id: int
    price_ticks: int
    quantity_lots: int


class Chunk(NamedTuple):
    """Commands of 64 bytes each. `done` says how far the file is read, in the unit of Source.total.

    `gone` are the seqs of cancels that the book has every right to refuse: the recording takes an order out after a
    fill, which a book that reproduced the fill has done already. `opened` are symbols not seen before.
    """

    commands: Bytes
    timed: bool
    done: int
    fills: tuple[Fill, ...] = ()
    gone: frozenset[int] = frozenset()
    opened: tuple[int, ...] = ()


class Source(Protocol):
    """A file that can be replayed. `facts` are counts worth reporting; they are complete after the last chunk."""

    @property
    def kind(self) -> str: ...
    @property
    def total(self) -> int: ...
    @property
    def symbols(self) -> list[int]:
        """Known before the first chunk; others come as Chunk.opened."""
        ...

    @property
    def names(self) -> dict[int, str]: ...
    @property
    def facts(self) -> dict[str, int]: ...
    def chunks(self) -> Iterator[Chunk]: ...


class BadFile(ValueError):
    """A file that is not what it seems, in one plain line that begins with its path."""

    def __init__(self, path: Path, says: str) -> None:
        super().__init__(f"{path}: {says}")
