"""Fuzzes what C cannot reach: Book.process with snapshots, restores and damaged snapshots in between.

python -m fuzz.book --seconds 60 [--seed N]. Inputs are the corpus, spliced and mutated; after each the book must pass
check_invariants, its snapshot must restore to the same state and a damaged snapshot must be refused or give a sound book. Run
by fuzz.run under AddressSanitizer; works without it as well. Everything follows from the seed, printed at the start: round N
of a run is round 0 of a run with the seed shown in the failure.
"""

import argparse
import random
import secrets
import sys
from pathlib import Path
from time import perf_counter

from fuzz.inputs import TOKEN, Input, decode
from matcher_core import Book, SelfTradePrevention
from matcher_core import snapshot as images

CORPUS = Path(__file__).resolve().parent / "corpus"
DIGEST_SIZE = 32


class FoundSomething(AssertionError):
    """What does not hold, with the seed that shows it."""


def mutate(rng: random.Random, corpus: list[bytes]) -> bytes:
    """One input, or two spliced at a token, with a few bytes changed, doubled or dropped; now and then plain noise."""
    if not corpus or rng.random() < 0.1:
        return rng.randbytes(rng.randrange(9, 600))
    data = bytearray(rng.choice(corpus))
    if rng.random() < 0.3:
        other = rng.choice(corpus)
        data[1 + TOKEN * rng.randrange(1 + len(data) // TOKEN) :] = other[1:]
    for _ in range(rng.choice([0, 1, 1, 2, 4, 8, 16])):
        at = rng.randrange(len(data))
        change = rng.randrange(4)
        if change == 0:
            data[at] = rng.randrange(256)
        elif change == 1:
            data[at] ^= 1 << rng.randrange(8)
        elif change == 2:
            data[at:at] = data[at : at + TOKEN * rng.randrange(1, 4)]
        elif len(data) > 2 * TOKEN:
            del data[at : at + TOKEN]
    return bytes(data)


def damage(rng: random.Random, image: bytes) -> bytes:
    """A snapshot with some bytes changed, or cut or grown, and its digest made to fit again."""
    body = bytearray(image[:-DIGEST_SIZE])
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(body))
        body[at] = rng.choice([0, 1, 255, body[at] ^ 1 << rng.randrange(8), rng.randrange(256)])
    if rng.random() < 0.2:
        body = body[: rng.randrange(len(body))]
    if rng.random() < 0.1:
        body += body[-rng.randrange(1, 100) :]
    return images.seal(bytes(body))


def check_damaged(rng: random.Random, image: bytes, stream: list[bytes]) -> None:
    """ValueError, or a book that is sound, goes on working and is what its own snapshot says."""
    try:
        book = Book.restore(damage(rng, image))
    except ValueError:
        return
    book.check_invariants()
    book.process(b"".join(stream[:20]))
    book.check_invariants()
    assert Book.restore(book.snapshot()).state_hash() == book.state_hash()


def check_restored(book: Book) -> Book:
    """The book as restored from its snapshot, having compared the two."""
    image = book.snapshot()
    again = Book.restore(image)
    assert again.snapshot() == image
    assert again.state_hash() == book.state_hash()
    assert (again.depth(9), again.orders(), len(again)) == (book.depth(9), book.orders(), len(book))
    again.check_invariants()
    return again


def run(rng: random.Random, what: Input) -> int:
    """One input through one book; returns the number of commands. The book is exchanged for its restored self at times."""
    symbol = what.symbols[0]
    stp = SelfTradePrevention(what.stp % len(SelfTradePrevention))
    book, steady = (Book(symbol, stp=stp, max_orders=what.max_orders) for _ in range(2))
    at = 0
    while at < len(what.commands):
        size = rng.choice([1, 1, 2, 7, 64])
        batch = b"".join(what.commands[at : at + size])
        at += size
        assert bytes(book.process(batch)) == bytes(steady.process(batch))
        book.check_invariants()
        if rng.random() < 0.2:
            book = check_restored(book)
        if rng.random() < 0.2:
            check_damaged(rng, book.snapshot(), what.commands)
    assert book.snapshot() == steady.snapshot()
    return len(what.commands)


def one(seed: int, corpus: list[bytes]) -> int:
    """One round; returns the number of commands. Raises FoundSomething."""
    rng = random.Random(seed)
    what = decode(mutate(rng, corpus))
    try:
        return run(rng, what) if what else 0
    except Exception as error:  # whatever it is, it is a finding, and its seed must be known
        raise FoundSomething(f"python -m fuzz.book --rounds 1 --seed {seed}: {error!r}") from error


def read_corpus(folder: Path = CORPUS) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m fuzz.book", description="Fuzz Book.process, snapshots and restores."
    )
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=sys.maxsize, help="stop after so many, if the time allows")
    parser.add_argument("--seed", type=int, default=secrets.randbits(40))
    arguments = parser.parse_args(argv)
    print(f"seed {arguments.seed}", flush=True)
    corpus = read_corpus()
    until = perf_counter() + arguments.seconds
    rounds = commands = 0
    while rounds < arguments.rounds and perf_counter() < until:
        commands += one(arguments.seed + rounds, corpus)
        rounds += 1
    print(f"{rounds} rounds, {commands} commands, nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
