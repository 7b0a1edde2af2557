"""The C interface says the same as the Python one, through the same compiled module."""

import ctypes
import random
import subprocess
from pathlib import Path

import pytest

import matcher_core.book
from matcher_core import BUILD_ID, Command
from matcher_core.book import Engine
from tests.core.builders import BUY, SELL, a_seed, buy, cancel, sell
from tests.core.test_differential import near, random_command

HEADER = Path(matcher_core.book.__file__).parent / "include" / "matcher_core.h"
SYMBOLS = (3, 0, 70_000)
MAX_ORDERS = 1 << 24


class Level(ctypes.Structure):
    _fields_ = [("price", ctypes.c_int64), ("lots", ctypes.c_uint64), ("orders", ctypes.c_uint64)]


class OrderInfo(ctypes.Structure):
    _fields_ = [
        *[(name, ctypes.c_uint64) for name in ("order_id", "open_lots", "owner", "group")],
        ("price", ctypes.c_int64),
        ("side", ctypes.c_uint64),
    ]


U8, U32, U64, I64, POINTER = ctypes.c_uint8, ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int64, ctypes.c_void_p


def c_library() -> ctypes.CDLL:
    c = ctypes.CDLL(matcher_core.book.__file__)
    for name, result, arguments in [
        ("mc_engine_new", POINTER, [POINTER, U64, U8, U64]),
        ("mc_engine_free", None, [POINTER]),
        ("mc_open", ctypes.c_int, [POINTER, U32]),
        ("mc_process", I64, [POINTER, ctypes.c_char_p, U64]),
        ("mc_events", POINTER, [POINTER]),
        ("mc_best", ctypes.c_int, [POINTER, U32, U8, POINTER, POINTER]),
        ("mc_depth", I64, [POINTER, U32, U8, POINTER, U64]),
        ("mc_order", ctypes.c_int, [POINTER, U32, U64, POINTER]),
        ("mc_live", U64, [POINTER]),
        ("mc_rolling_hash", U64, [POINTER, U32]),
        ("mc_build_id", ctypes.c_char_p, []),
    ]:
        function = getattr(c, name)
        function.restype, function.argtypes = result, arguments
    return c


class CEngine:
    """A thin face of the C functions."""

    def __init__(self, symbols: tuple[int, ...], stp: int = 1, max_orders: int = MAX_ORDERS) -> None:
        self.c = c_library()
        self.at = self.c.mc_engine_new((U32 * len(symbols))(*symbols), len(symbols), stp, max_orders)

    def __del__(self) -> None:
        self.c.mc_engine_free(self.at)

    def process(self, *commands: Command) -> bytes:
        count = self.c.mc_process(self.at, b"".join(c.pack() for c in commands), len(commands))
        return ctypes.string_at(self.c.mc_events(self.at), 64 * count) if count else b""

    def best(self, symbol: int, side: int) -> tuple[int, int, int]:
        price, lots = I64(), U64()
        found = self.c.mc_best(self.at, symbol, side, ctypes.byref(price), ctypes.byref(lots))
        return found, price.value, lots.value


def test_capi_when_the_same_commands_run_then_the_same_events_and_state():
    rng = random.Random(a_seed())
    mine, engine = CEngine(SYMBOLS), Engine(SYMBOLS)
    for i in range(400):
        commands = [random_command(rng, i, near(rng))._replace(symbol=rng.choice(SYMBOLS)) for _ in range(i % 7)]
        assert mine.process(*commands) == engine.process(b"".join(c.pack() for c in commands))
    for symbol in SYMBOLS:
        book = engine.book(symbol)
        assert mine.c.mc_rolling_hash(mine.at, symbol) == book.rolling_hash
        for side, levels in enumerate(book.depth(100)):
            rows = (Level * 100)()
            count = mine.c.mc_depth(mine.at, symbol, side, rows, 100)
            assert [(r.price, r.lots, r.orders) for r in rows[:count]] == [tuple(level) for level in levels]
            assert mine.best(symbol, side) == ((1, *levels[0][:2]) if levels else (0, 0, 0))
    assert mine.c.mc_live(mine.at) == len(engine)


def test_capi_when_an_order_is_asked_for_then_its_fields():
    mine, info = CEngine((5,)), OrderInfo()
    mine.process(sell(1, 100, 9, owner=7)._replace(symbol=5), buy(2, 100, 4)._replace(symbol=5))
    assert mine.c.mc_order(mine.at, 5, 1, ctypes.byref(info)) == 1
    assert (info.order_id, info.open_lots, info.owner, info.group) == (1, 5, 7, 7)
    assert (info.price, info.side) == (100, SELL)
    assert mine.c.mc_order(mine.at, 5, 2, ctypes.byref(info)) == 0
    assert mine.c.mc_order(mine.at, 6, 1, ctypes.byref(info)) == -1


def test_capi_when_an_argument_is_out_of_range_then_refused():
    for symbols, stp, max_orders in [((1, 1), 1, 5), ((2**20,), 1, 5), ((1,), 9, 5), ((1,), 1, 0), ((1,), 1, 2**32)]:
        assert CEngine(symbols, stp, max_orders).at is None
    mine = CEngine((1,))
    assert [mine.c.mc_open(mine.at, symbol) for symbol in (2, 2, 1, 2**20)] == [0, -1, -1, -1]
    assert (mine.best(9, BUY)[0], mine.best(1, 2)[0], mine.best(1, BUY)[0]) == (-1, -1, 0)
    assert mine.c.mc_depth(mine.at, 9, 0, None, 0) == -1
    assert mine.c.mc_depth(mine.at, 1, 0, None, 0) == 0
    assert mine.c.mc_rolling_hash(mine.at, 9) == 0
    assert mine.c.mc_build_id().decode() == BUILD_ID


def test_capi_when_called_one_by_one_then_each_call_has_its_own_events():
    """Events gather before they are hashed; a caller sees only those of its last call."""
    mine, engine = CEngine((0,)), Engine((0,))
    for i in range(1, 1000):
        for command in (buy(i, 100, 5), sell(i + 5000, 101, 5), cancel(i)):
            assert mine.process(command) == engine.process(command.pack())
        if i % 100 == 0:
            assert mine.c.mc_rolling_hash(mine.at, 0) == engine.book(0).rolling_hash


PROGRAM = """
#include "matcher_core.h"
typedef char commands_are_64_bytes[sizeof(mc_command_t) == 64 ? 1 : -1];
typedef char events_are_64_bytes[sizeof(mc_event_t) == 64 ? 1 : -1];
int main(void) {
    uint32_t symbols[] = {0};
    mc_engine *engine = mc_engine_new(symbols, 1, 1, 10);
    static mc_command_t command;
    int64_t count = mc_process(engine, &command, 1);
    mc_engine_free(engine);
    return count == 1 ? 0 : 1;
}
"""


@pytest.mark.parametrize("language", ["c", "c++"])
def test_header_when_compiled_then_no_complaint(tmp_path: Path, language: str):
    source = tmp_path / "program"
    source.write_text(PROGRAM)
    command = [
        "cc",
        "-x",
        language,
        "-fsyntax-only",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-pedantic",
        f"-I{HEADER.parent}",
        source,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
