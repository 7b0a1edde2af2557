"""What every wheel is tried with on the machine that built it: python smoke.py. Needs the installed package and nothing else.

The compiled book against the reference, event for event, in two threads at once; a snapshot there and back; the files for C users.
"""

import random
import sys
import sysconfig
import threading
from pathlib import Path

import matcher_core
from matcher_core import BUILD_ID, Book, Command, Op, ReferenceBook

SEED = 7
COMMANDS = 5_000


def commands(rng: random.Random) -> list[Command]:
    """Limit orders, cancels, replaces and market orders over few ids and prices, malformed ones included."""
    ops = rng.choices([Op.LIMIT, Op.CANCEL, Op.REPLACE, Op.MARKET, 99], [60, 15, 15, 9, 1], k=COMMANDS)
    return [
        Command(
            op,
            rng.randrange(2),
            rng.randrange(3),
            seq=seq,
            order_id=rng.randrange(300),
            owner=rng.randrange(3),
            price=rng.randrange(95, 106),
            quantity=rng.randrange(20),
        )
        for seq, op in enumerate(ops)
    ]


def compare(seed: int, done: list[int]) -> None:
    fast, plain = Book(), ReferenceBook()
    packed = [command.pack() for command in commands(random.Random(seed))]
    for at in range(0, COMMANDS, 50):
        batch = b"".join(packed[at : at + 50])
        assert bytes(fast.process(batch)) == plain.process(batch), f"seed {seed}, command {at}"
    fast.check_invariants()
    assert fast.snapshot() == plain.snapshot()
    assert Book.restore(fast.snapshot()).state_hash() == fast.state_hash()
    done.append(seed)


def main() -> int:
    done: list[int] = []
    threads = [threading.Thread(target=compare, args=(seed, done)) for seed in (SEED, SEED + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [SEED, SEED + 1]
    assert (Path(matcher_core.__file__).parent / "book.pxd").is_file()
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        assert not getattr(sys, "_is_gil_enabled", lambda: True)(), "importing matcher_core brought the GIL back"
    print(f"matcher_core {BUILD_ID[:12]} on {sys.version.split()[0]} {sysconfig.get_platform()}: as the reference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
