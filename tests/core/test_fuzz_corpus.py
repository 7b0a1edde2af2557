"""The fuzzers' corpus through the ordinary build: every input holds what the fuzz target checks, in C, and both Python books answer with
the bytes that C gave. No clang is needed here; `make fuzz` looks for new inputs.
"""

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.book import CORPUS
from fuzz.book import main as fuzz_book
from fuzz.inputs import decode
from matcher_core import Engine, ReferenceEngine, SelfTradePrevention
from tests.core.trees import ROOT, copy_tree, run

SIZE_MAX = 300_000


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fuzz target's checks as a plain program over the C library."""
    tree = copy_tree(tmp_path_factory.mktemp("fuzz") / "tree", "clib", "fuzz")
    build = "from pathlib import Path; from fuzz.build import replay_program; replay_program('cc', Path('out'), Path('replay'))"
    run(sys.executable, "-m", "clib.build", "--out", "out", cwd=tree)
    run(sys.executable, "-c", build, cwd=tree)
    return tree / "replay"


def inputs() -> list[Path]:
    return sorted(CORPUS.iterdir())


def written(replay: Path, path: Path) -> tuple[bytes, bytes]:
    """(command records, events) of one input, by the C program."""
    out = subprocess.run([replay, "--write", path], capture_output=True, timeout=60, check=True).stdout
    commands, events = struct.unpack_from("<QQ", out)
    assert len(out) == 16 + 64 * (commands + events)
    return out[16 : 16 + 64 * commands], out[16 + 64 * commands :]


def test_corpus_when_counted_then_small():
    sizes = [path.stat().st_size for path in inputs()]
    assert 0 < sum(sizes) < SIZE_MAX


def test_corpus_when_replayed_in_c_then_everything_holds(replay: Path):
    run(replay, *inputs(), cwd=ROOT)


def test_corpus_when_replayed_by_all_books_then_the_same_bytes(replay: Path):
    """inputs.py reads an input as input.h does, and three books give the same events."""
    for path in inputs():
        what = decode(path.read_bytes())
        assert what is not None
        commands, events = written(replay, path)
        packed = b"".join(what.commands)
        assert packed == commands, path.name
        stp = SelfTradePrevention(what.stp)
        for engine in (Engine, ReferenceEngine):
            answer = engine(what.symbols, stp=stp, max_orders=what.max_orders).process(packed)
            assert bytes(answer) == events, f"{path.name}: {engine.__name__}"


def test_book_when_fuzzed_for_some_rounds_then_nothing_is_found(capsys: pytest.CaptureFixture[str]):
    """Snapshots, restores and damaged snapshots between the commands of mutated inputs. Seed fixed: this is a smoke test."""
    assert fuzz_book(["--rounds", "300", "--seconds", "120", "--seed", "1"]) == 0
    assert "300 rounds" in capsys.readouterr().out
