"""What the bytes of a fuzz input mean, as input.h says it in C; a test compares the two over the corpus."""

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

SYMBOLS = (0, 1, 7, 300)
TOKEN = 8
RECORD = 64
RECORDS_MAX = 4096
COMMAND = Struct("<BBBBIQQQQqQQ")
DETAILS = Struct("<BBHIqQQQQQQ")
LIMIT, MARKET, CANCEL, REPLACE, MASS_CANCEL, SET_STATE, CLOCK, UNCROSS, SET_BANDS, OP_DETAILS = *range(1, 10), 15
OPS = (LIMIT,) * 5 + (MARKET, CANCEL, REPLACE, REPLACE, MASS_CANCEL, SET_STATE, CLOCK, UNCROSS, SET_BANDS, LIMIT, 0)
ENTERING_FLAGS = (0, 0, 0, 0, 1, 3, 4, 2)
FLAG_DETAILS = 128
I64_MAX, U64_MAX = 2**63 - 1, 2**64 - 1
PRICES = (0, -1, 1, 2, I64_MAX, I64_MAX - 1, -(2**63), 2**32)
LOTS = (0, U64_MAX, 2**63, U64_MAX - 20, 1000, 20000, 100000, 2**62)


class Input(NamedTuple):
    """An engine's settings and its commands; a command with details is 128 bytes, every other 64."""

    raw: bool
    stp: int
    max_orders: int
    symbols: tuple[int, ...]
    commands: list[bytes]


def decode(data: bytes) -> Input | None:
    """None when there is no command in it."""
    if len(data) < 1 + TOKEN:
        return None
    head, body = data[0], data[1:]
    symbols = SYMBOLS[: 1 + (head >> 5 & 3)]
    commands = list(_raw(body) if head & 1 else _tokens(body, symbols))
    settings = bool(head & 1), (head >> 1 & 7) % 5, 8 if head & 16 else 1 << 20, symbols
    return Input(*settings, commands) if commands else None


def _raw(body: bytes) -> Iterator[bytes]:
    """64-byte records; what looks like details stays with the record before it."""
    pending = b""
    for at in range(0, min(len(body) // RECORD, RECORDS_MAX) * RECORD, RECORD):
        record = body[at : at + RECORD]
        if pending and record[0] != OP_DETAILS:
            yield pending
            pending = b""
        pending += record
    if pending:
        yield pending


def _tokens(body: bytes, symbols: tuple[int, ...]) -> Iterator[bytes]:
    tokens = iter([body[at : at + TOKEN] for at in range(0, len(body) - TOKEN + 1, TOKEN)])
    count = 0
    for seq, token in enumerate(tokens, start=1):
        if count + 2 > RECORDS_MAX:
            return
        command = _command(seq, token, symbols)
        details = next(tokens, None) if command[3] & FLAG_DETAILS and command[0] in (LIMIT, MARKET, REPLACE) else None
        count += 1 if details is None else 2
        if details is None:
            yield COMMAND.pack(*command)
        elif details[7] == 255:
            yield COMMAND.pack(*command)
            yield _details(command[4], details)
        else:
            yield COMMAND.pack(*command) + _details(command[4], details)


def _command(seq: int, token: bytes, symbols: tuple[int, ...]) -> tuple[int, ...]:
    op = OPS[token[0] & 15]
    symbol = {255: 2**32 - 1, 254: 5}.get(token[6], symbols[token[6] % len(symbols)])
    group = token[7] & 15 if op == SET_BANDS else token[5] >> 2 & 3
    price = 0 if op == MARKET and token[1] & 16 else _price(token[3])
    quantity = token[4] & 7 if op in (SET_STATE, UNCROSS) else token[4] if op == CLOCK else _lots(token[4])
    head = op, token[0] >> 4 & 1, token[0] >> 5, _flags(op, token[1]), symbol
    return (*head, seq, token[2] & 63, token[5] & 3, group, price, quantity, int(token[7] == 255))


def _details(symbol: int, token: bytes) -> bytes:
    bits = token[0]
    op = CANCEL if token[7] == 255 else OP_DETAILS
    return DETAILS.pack(
        op,
        bits & 3 if bits & 4 else 0,
        0,
        (symbol + 1) % 2**32 if token[7] == 253 else symbol,
        _price(token[1]) if bits & 8 else 0,
        1 + (token[2] & 7) if bits & 16 else 0,
        1 + (token[3] & 15) if bits & 32 else 0,
        1 + (token[4] & 15) if bits & 64 else 0,
        token[5] if bits & 128 else 0,
        token[6] & 3 if bits & 4 else 0,
        int(token[7] == 254),
    )


def _price(byte: int) -> int:
    if byte >> 5 == 5:
        return 1 + (byte & 31) * 700
    if byte >> 5 == 6:
        return 1 << (byte & 31) * 2
    return PRICES[byte & 7] if byte >> 5 == 7 else 100 + (byte & 15)


def _lots(byte: int) -> int:
    return 1 + (byte & 31) if byte < 248 else LOTS[byte & 7]


def _flags(op: int, byte: int) -> int:
    if op in (LIMIT, MARKET, REPLACE):
        return ENTERING_FLAGS[byte & 7] | (FLAG_DETAILS if byte & 8 else 0)
    if op == MASS_CANCEL:
        return byte & 24
    if op == CLOCK:
        return byte & 32
    return byte if byte >= 240 else 0


def encode_raw(stp: int, max_orders: int, records: bytes) -> bytes:
    """A raw input: one symbol (0) and these records."""
    return bytes([1 | stp << 1 | (16 if max_orders <= 8 else 0)]) + records
