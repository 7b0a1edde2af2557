"""The chain service with named places at which it dies by SIGKILL when a file says so. Started as `python -m tests.chain.crash_at`; the service
itself knows nothing of it: its own functions are wrapped here.

The file named by CRASH_FILE holds '<place> <how many more times it is passed unharmed>'."""

import functools
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

from tokenx_chain.journal import Journal
from tokenx_chain.listener.publisher import Publisher
from tokenx_chain.networks.evm import EvmNode
from tokenx_chain.operations.runner import Runner
from tokenx_chain.transactions.replacer import Replacer
from tokenx_chain.transactions.sender import Sender
from tokenx_chain.transactions.tracker import Tracker

FILE: Final = "CRASH_FILE"
PLACES: Final = ("after_bind", "after_sign", "after_journal", "after_send", "before_ack", "during_bump", "during_confirm", "during_event_emit",
                 "during_checkpoint")  # fmt: skip
"""Nonce chosen; signed, nothing written; written, nothing sent; sent, answer not looked at; answer looked at, nobody told; replacement written,
not sent; finality seen, not written; events about to be appended; checkpoint about to move."""

Wrapped = Callable[..., Awaitable[Any]]


STUMBLE: Final = "stumble"
"""Not a death: a fault of ours in a program, after its transactions are mined."""


def reached(place: str) -> None:
    """Die here, if that was asked for; or raise, for STUMBLE."""
    path = Path(os.environ[FILE])
    if not path.exists():
        return
    wanted, _, left = path.read_text().partition(" ")
    if wanted != place:
        return
    if int(left) > 0:
        path.write_text(f"{place} {int(left) - 1}")
        return
    path.unlink()
    if place == STUMBLE:
        raise RuntimeError("stumbled on purpose")
    os.kill(os.getpid(), signal.SIGKILL)


def wrap(owner: type, name: str, *, before: str | None = None, after: str | None = None, when: Callable[..., bool] | None = None) -> None:  # fmt: skip
    """Put places before and after a coroutine method."""
    original: Wrapped = getattr(owner, name)

    @functools.wraps(original)
    async def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        counts = when is None or when(*args, **kwargs)
        if before and counts:
            reached(before)
        answer = await original(self, *args, **kwargs)
        if after and counts:
            reached(after)
        return answer

    setattr(owner, name, wrapper)


def _binds(records: Any) -> bool:
    return any(record["op"] == "signed" for record in records)


def _only_moves(**call: Any) -> bool:
    return not call["items"]


def _ends(records: Any) -> bool:
    return any(record["op"] == "tx_state" and record["state"] in ("final", "reverted") for record in records)


def main() -> None:
    """Wrap, then serve."""
    from tokenx_chain.__main__ import main as serve

    wrap(Sender, "_sign", before="after_bind", after="after_sign")
    wrap(Journal, "write", after="after_journal", when=_binds)
    wrap(EvmNode, "send_raw", after="after_send")
    wrap(Tracker, "broadcast", after="before_ack")
    wrap(Replacer, "_replace", after="during_bump")
    wrap(Journal, "write", before="during_confirm", when=_ends)
    wrap(Publisher, "_append", before="during_event_emit")
    wrap(Journal, "append_events", before="during_checkpoint", when=_only_moves)
    wrap(Runner, "_attempt", after=STUMBLE)
    serve()


if __name__ == "__main__":
    main()
