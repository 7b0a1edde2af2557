"""What passes between the contract roles and the node: a call to send, a read to make, a log that came back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")

ZERO_ADDRESS = "0x" + "00" * 20


@dataclass(frozen=True)
class Call:
    """A transaction to be. gas: the limit to use, None to ask the node (which also tries the call out first).

    A fixed limit is for calls that follow others in the same breath: the node cannot estimate them before those are mined."""

    to: str | None
    """None: contract creation."""
    data: bytes
    gas: int | None = None
    value: int = 0


@dataclass(frozen=True)
class Read(Generic[Value]):
    """An eth_call and how to read its answer."""

    to: str
    data: bytes
    decode: Callable[[bytes], Value]


@dataclass(frozen=True)
class Log:
    """One event log as the chain holds it. address is lower-case."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes
    log_index: int
    tx_hash: str
