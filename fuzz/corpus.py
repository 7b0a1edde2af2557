"""Makes fuzz/corpus anew: python -m fuzz.corpus. Same sources, same seed, same inputs before minimising.

Raw inputs are what the rule tests send to a book, one input for each book of theirs; the others are random tokens (input.h). libFuzzer
then keeps the ones that reach something new.
"""

import hashlib
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clib.build import ROOT
from fuzz.book import CORPUS
from fuzz.build import process_target
from fuzz.inputs import TOKEN, encode_raw
from matcher_core import ReferenceBook

SEED = 20
RULES = ("rules", "refusals", "order_types", "stops", "pegs", "auctions", "bands_and_clock")
RANDOM_INPUTS = 400
TOKENS_MAX = 120
SIZE_MAX = 1800
TOTAL_MAX = 300_000


class Recorder:
    """A pytest plugin that writes down what every reference book of a test run is sent."""

    def __init__(self) -> None:
        self.sent: dict[int, tuple[ReferenceBook, bytearray]] = {}

    @pytest.fixture(autouse=True)
    def record(self, monkeypatch: pytest.MonkeyPatch) -> None:
        process: Any = ReferenceBook.process  # Any: the wrapped method keeps its own type

        def recording(book: ReferenceBook, commands: Any) -> Any:  # Any: as process has it
            _, sent = self.sent.setdefault(id(book), (book, bytearray()))
            sent += bytes(commands)
            return process(book, commands)

        monkeypatch.setattr(ReferenceBook, "process", recording)


def from_rule_tests() -> list[bytes]:
    recorder = Recorder()
    rules = [str(ROOT / "tests" / "core" / f"test_{name}.py") for name in RULES]
    status = pytest.main(["-q", "-k", "reference", *rules], plugins=[recorder])
    if status != pytest.ExitCode.OK:
        raise SystemExit("the rule tests must pass first")
    books = recorder.sent.values()
    return [
        encode_raw(book.stp, book.max_orders, bytes(sent)[: SIZE_MAX // 64 * 64])
        for book, sent in books
        if book.symbol == 0
    ]


def at_random() -> list[bytes]:
    rng = random.Random(SEED)
    return [rng.randbytes(1 + TOKEN * rng.randrange(2, TOKENS_MAX)) for _ in range(RANDOM_INPUTS)]


def write(folder: Path, inputs: list[bytes]) -> Path:
    """Files named by their content, as libFuzzer names them, with the raw bit as it belongs."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for data in inputs:
        (folder / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)
    return folder


def main() -> int:
    work = ROOT / "build" / "fuzz"
    work.mkdir(parents=True, exist_ok=True)
    tokens = [bytes([data[0] & ~1]) + data[1:] for data in at_random()]
    everything = write(work / "unminimised", [*from_rule_tests(), *tokens])
    target = process_target(work)
    subprocess.run(
        [target, "-runs=0", everything], check=True, stderr=subprocess.DEVNULL
    )  # a finding must be mended first
    minimal = write(work / "minimised", [])
    subprocess.run([target, "-merge=1", f"-max_len={SIZE_MAX}", minimal, everything], check=True)
    sizes = [path.stat().st_size for path in minimal.iterdir()]
    print(f"{len(sizes)} inputs, {sum(sizes)} bytes")
    if not 0 < sum(sizes) <= TOTAL_MAX:
        return 1
    shutil.rmtree(CORPUS, ignore_errors=True)
    shutil.copytree(minimal, CORPUS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
