"""The command line around its subcommands: help, terminals, Ctrl-C, missing packages, the bench and the live book."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from matcher_core import bench as benchmark
from matcher_core import cli
from matcher_core.bench import BATCHES, Size, measure
from matcher_core.cli import table
from matcher_core.cli.progress import WIDTH
from matcher_core.cli.top_view import BAR, bar
from matcher_core.feeds.detect import open_source
from matcher_core.records import iter_commands
from matcher_core.synthetic import PROFILES, Profile, make
from matcher_core.top import Player
from matcher_core.types import Op, Side
from tests.core import flows
from tests.core.builders import a_seed
from tests.core.recordings import dbn_file, itch_add, itch_executed, itch_system, mbo, run, run_without, written

TINY = (Profile("tiny", 50, 20), Profile("few", 20, 20, books=3))
QUICKEST = Size(ops=400, reference_ops=200, rounds=1)


class Terminal:
    """A command whose three standard streams are a terminal of its own."""

    def __init__(self, *arguments: str | Path, without: str = "") -> None:
        self._ours, theirs = pty.openpty()
        code = f"import sys; sys.modules[{without!r}] = None; from matcher_core.cli import main; sys.exit(main())"
        start = ["-c", code] if without else ["-m", "matcher_core"]
        env = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "30"}
        command = [sys.executable, *start, *map(str, arguments)]
        self._process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
        )
        os.close(theirs)
        self.seen = ""

    def until(self, text: str) -> None:
        while text not in self.seen:
            if not self._read():
                raise AssertionError(f"{text!r} never came, but {self.seen!r}")

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    def interrupt(self) -> None:
        self._process.send_signal(signal.SIGINT)

    def finish(self) -> int:
        """Read to the end; the exit status."""
        while self._read():
            pass
        os.close(self._ours)
        return self._process.wait(timeout=30)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._ours], [], [], 60)
        assert ready, f"nothing in a minute after {self.seen!r}"
        try:
            piece = os.read(self._ours, 1 << 16)
        except OSError:  # how Linux says that the other side is closed
            return False
        self.seen += piece.decode("utf-8", "replace")
        return bool(piece)


def a_flow(path: Path, count: int = 3000, symbols: int = 1, warm: int = 0) -> Path:
    return flows.write(path / "f.flow", flows.rows(a_seed(), count, symbols), symbols=symbols, warm=warm)


@pytest.mark.parametrize("verb", ["replay", "bench", "top"])
def test_help_when_asked_for_then_has_an_example(verb: str):
    done = run(verb, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"example\n  python -m matcher_core {verb}" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["fly"], ["replay"], ["replay", "x", "--batch", "0"], ["replay", "x", "--limit", "-1"],
        ["top", "x", "--speed", "much"], ["bench", "--seed", "0"],
    ],
)  # fmt: skip
def test_arguments_when_wrong_then_status_2(arguments: list[str]):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "usage:" in done.stderr


@pytest.mark.parametrize("verb", ["replay", "top"])
@pytest.mark.parametrize(("name", "says"), [("none", "No such file"), (".", "Is a directory")])
def test_file_when_it_cannot_be_read_then_one_plain_line_and_status_2(tmp_path: Path, verb: str, name: str, says: str):
    done = run(verb, tmp_path / name, *(["--frames", "1"] if verb == "top" else []))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert says in done.stderr
    assert str(tmp_path) in done.stderr


def test_trades_out_when_it_cannot_be_written_then_one_plain_line_and_status_2(tmp_path: Path):
    done = run("replay", a_flow(tmp_path), "--trades-out", tmp_path / "none" / "trades.bin")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_output_when_nobody_reads_it_then_no_traceback(tmp_path: Path):
    ours, theirs = os.pipe()
    os.close(ours)
    command = [sys.executable, "-m", "matcher_core", "replay", str(a_flow(tmp_path))]
    done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    os.close(theirs)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("without", ["", "rich"])
def test_progress_when_stderr_is_a_terminal_then_is_shown(tmp_path: Path, without: str):
    terminal = Terminal("replay", a_flow(tmp_path), without=without)
    assert terminal.finish() == 0
    assert "f.flow" in terminal.seen
    assert "100%" in terminal.seen
    assert "trades digest" in terminal.seen
    assert WIDTH * "#" in terminal.seen or not without


def test_ctrl_c_when_a_command_runs_then_status_130_without_traceback():
    terminal = Terminal("bench")
    terminal.until("bench")
    terminal.interrupt()
    assert terminal.finish() == 130
    assert "Traceback" not in terminal.seen


def test_top_when_q_is_pressed_then_leaves_and_gives_the_screen_back(tmp_path: Path):
    terminal = Terminal("top", a_flow(tmp_path), "--speed", "50")
    terminal.until("replaying 50 commands/s")
    terminal.press(" ")
    terminal.until("paused")
    terminal.press("q")
    assert terminal.finish() == 0
    assert "\x1b[?25h" in terminal.seen  # the cursor is shown again
    assert "\x1b[?1049l" in terminal.seen  # and so is the screen from before


def test_top_when_interrupted_then_status_130_and_the_screen_is_back(tmp_path: Path):
    terminal = Terminal("top", a_flow(tmp_path), "--speed", "50")
    terminal.until("replaying 50 commands/s")
    terminal.interrupt()
    assert terminal.finish() == 130
    assert "\x1b[?1049l" in terminal.seen
    assert "Traceback" not in terminal.seen


def test_top_when_the_file_has_ended_then_waits_for_q(tmp_path: Path):
    terminal = Terminal("top", a_flow(tmp_path, count=50))
    terminal.until("end of file")
    terminal.press("q")
    assert terminal.finish() == 0


def test_top_when_there_is_no_terminal_then_needs_frames(tmp_path: Path):
    done = run("top", a_flow(tmp_path))
    assert (done.returncode, done.stderr) == (2, "matcher_core: top needs a terminal, or --frames N\n")


def test_top_when_frames_are_given_then_prints_them(tmp_path: Path):
    trades = mbo("T", "A", 9, 400, 2, last=False) + mbo("F", "B", 1, 400, 2, last=False) + mbo("M", "B", 1, 400, 3)
    adds = mbo("A", "B", 1, 400, 5) + mbo("A", "A", 2, 402, 4)
    path = written(tmp_path / "s.dbn", dbn_file(adds, trades))
    done = run("top", path, "--frames", "3", "--speed", "20", "--levels", "2")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("s.dbn  ESH4") == 2  # two commands a frame, four commands, and then it has ended
    assert "100.0 %  4 commands  1 trades  2 resting" in done.stdout
    assert "end of file" in done.stdout


def test_top_when_rich_is_missing_then_one_line_says_what_to_install(tmp_path: Path):
    done = run_without("rich.console", "top", a_flow(tmp_path), "--frames", "1")
    assert (done.returncode, done.stderr) == (2, "matcher_core: top needs a package: pip install rich\n")


def test_player_when_a_flow_has_warm_records_then_they_are_taken_at_once(tmp_path: Path):
    player = Player(open_source(a_flow(tmp_path, count=2000, warm=1500)))
    before = player.standing(3)
    assert (before.commands, before.position) == (0, 750)
    assert before.resting > 0
    player.advance(250)
    assert (player.commands, player.standing(3).position) == (250, 875)
    player.advance(10_000)
    assert (player.commands, player.ended, player.standing(3).position) == (500, True, 1000)


def test_player_when_there_are_several_books_then_the_busiest_is_shown(tmp_path: Path):
    messages = [itch_add(1, "B", 5, 100, "IDLE"), itch_add(2, "S", 5, 200, "BUSY"), itch_executed(2, 3)]
    player = Player(open_source(written(tmp_path / "day", itch_system() + b"".join(messages))))
    player.advance(10)
    now = player.standing(5)
    assert (now.symbol, now.bids, [level.quantity_lots for level in now.asks]) == ("BUSY", [], [2])
    assert now.prints == [(200, 3, Side.BUY)]


def test_bar_when_drawn_then_is_never_empty_nor_too_long():
    assert (bar(1, 10**9), bar(10, 10), bar(0, 0)) == ("▏", "█" * BAR, "▏")
    assert bar(1, 2) == "█" * (BAR // 2)


def test_table_when_columns_differ_then_numbers_stand_right():
    assert table.columns(["", "ns"], [["a", "1"], ["long", "1,000"]]) == (
        "         ns\n----  -----\na         1\nlong  1,000\n"
    )


def test_synthetic_when_made_twice_then_is_the_same_and_has_every_kind_of_command():
    one, two, other = (make(TINY[1], ops=2000, seed=seed) for seed in (5, 5, 6))
    assert one == two != other
    assert {c.op for c in iter_commands(one.timed)} == {Op.LIMIT, Op.MARKET, Op.CANCEL, Op.REPLACE}
    assert {c.symbol for c in iter_commands(one.timed)} == {0, 1, 2}
    first = len(one.warm) // 64
    assert [c.seq for c in iter_commands(one.timed)] == list(range(first, first + 2000))


@pytest.mark.parametrize("profile", [*TINY, *PROFILES[:1]], ids=lambda profile: profile.name)
def test_bench_when_a_profile_is_measured_then_every_figure_is_there(profile: Profile):
    result = measure(profile, make(profile, ops=400, seed=a_seed()), QUICKEST)
    assert tuple(batch.batch for batch in result.batches) == BATCHES
    assert all(batch.cpu_ns_per_op > 0 and batch.ops_per_s > 0 for batch in result.batches)
    assert 0 < result.p50_ns <= result.p99_ns <= result.p999_ns
    assert result.memory_bytes_per_order > 32
    assert result.times_reference > 1
    assert result.resting == profile.books * profile.resting


def test_bench_when_run_then_prints_one_object_or_tables(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(benchmark, "PROFILES", TINY)
    monkeypatch.setattr("matcher_core.cli.bench_command.QUICK", QUICKEST)
    assert cli.main(["bench", "--quick", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [profile["profile"] for profile in result["profiles"]] == ["tiny", "few"]
    assert {"cpu", "cores", "system", "python"} == set(result["machine"])
    assert cli.main(["bench", "--quick"]) == 0
    assert "x rulebook" in capsys.readouterr().out


def test_bench_when_the_extension_is_of_other_sources_then_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(benchmark, "source_id", lambda: "0" * 64)
    assert cli.main(["bench", "--quick"]) == 2
    assert "built from other sources" in capsys.readouterr().err


def test_bench_when_sources_are_not_at_hand_then_runs(monkeypatch: pytest.MonkeyPatch):
    def missing() -> str:
        raise FileNotFoundError

    monkeypatch.setattr(benchmark, "source_id", missing)
    assert benchmark.stale_source() is None
