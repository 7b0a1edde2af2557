"""Money, canonical bodies, ids, clocks and service tokens."""

import base64
import json
import random
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.support.servers import ServiceKeys
from tokenx_common.canonical import ZERO_HASH, canonical_json, rolling_hash
from tokenx_common.clock import FrozenClock, rfc3339, utc_now
from tokenx_common.errors import NotAuthenticated
from tokenx_common.ids import new_id
from tokenx_common.money import (
    MAX_INT64,
    NotADecimal,
    format_amount,
    notional_minor,
    parse_amount,
    parse_decimal,
    parse_units,
    share_pct,
    to_ticks,
)
from tokenx_common.service_auth import ServiceSigner, ServiceVerifier


@given(st.integers(min_value=0, max_value=MAX_INT64))
def test_amounts_survive_the_wire(minor: int) -> None:
    assert parse_amount(format_amount(minor)) == minor


@pytest.mark.parametrize(
    ("text", "minor"), [("0", 0), ("1", 100), ("1.5", 150), ("1.50", 150), ("1.5000", 150), ("0.01", 1)]
)
def test_amounts_are_read_exactly(text: str, minor: int) -> None:
    assert parse_amount(text) == minor


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "+1", "-1", "1e3", "1.", ".5", "01", "0x1", "1,000", "1.001", "NaN", "inf", "١", "1\n", str(MAX_INT64)],
)  # fmt: skip
def test_anything_but_a_plain_amount_is_refused(text: str) -> None:
    with pytest.raises(NotADecimal):
        parse_amount(text)


@given(st.text(max_size=20))
def test_no_text_makes_the_parser_do_anything_but_answer_or_refuse(text: str) -> None:
    with suppress(NotADecimal):
        assert 0 <= parse_decimal(text, digits=2) <= MAX_INT64


def test_prices_off_the_grid_are_refused_and_never_rounded() -> None:
    assert to_ticks(1050, tick_size_minor=25) == 42
    with pytest.raises(NotADecimal):
        to_ticks(1051, tick_size_minor=25)
    assert notional_minor(price_ticks=42, quantity_lots=3, tick_size_minor=25, lot_size_units=10) == 31_500


def test_negative_amounts_and_shares_are_written_plainly() -> None:
    assert (format_amount(-5), format_amount(-12345)) == ("-0.05", "-123.45")
    assert (share_pct(1, 3), share_pct(0, 0)) == ("33.33", "0.00")
    assert parse_units("10") == 10


def test_canonical_json_is_one_spelling_for_equal_bodies() -> None:
    assert canonical_json({"b": 1, "a": ["ü", None]}) == '{"a":["ü",null],"b":1}'
    assert canonical_json({"a": 1, "b": 2}) == canonical_json({"b": 2, "a": 1})


@pytest.mark.parametrize("body", [{"a": 1.0}, {"a": [1, {"b": float("nan")}]}, {"a": (0.5,)}])
def test_canonical_json_refuses_floats_at_any_depth(body: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="float"):
        canonical_json(body)


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.booleans() | st.none() | st.lists(st.integers())))
def test_canonical_json_can_be_read_back(body: dict[str, object]) -> None:
    assert json.loads(canonical_json(body)) == body


def test_rolling_hash_depends_on_everything_before() -> None:
    one, two = rolling_hash(ZERO_HASH, "a"), rolling_hash(ZERO_HASH, "b")
    assert rolling_hash(one, "c") != rolling_hash(two, "c")
    assert len(one) == 32


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [new_id("ord") for _ in range(1000)]
    assert len(set(ids)) == 1000
    milliseconds = [int(text.removeprefix("ord_")[:12], 16) for text in ids]
    assert milliseconds == sorted(milliseconds)


def test_times_are_utc_with_z_and_naive_ones_refused() -> None:
    clock = FrozenClock(datetime(2026, 11, 22, tzinfo=UTC))
    clock.advance(timedelta(seconds=1))
    assert rfc3339(clock.now()) == "2026-11-22T00:00:01.000000Z"
    with pytest.raises(ValueError, match="naive"):
        rfc3339(datetime(2026, 11, 22))  # noqa: DTZ001  # what is refused


def verifier(keys: ServiceKeys) -> ServiceVerifier:
    return ServiceVerifier("api", json.loads(keys.public_json))


def test_service_token_names_its_caller(service_keys: ServiceKeys) -> None:
    token = ServiceSigner("matcher", service_keys.private("matcher")).token("api")
    assert verifier(service_keys).caller(f"Bearer {token}") == "matcher"


def claims(**change: object) -> dict[str, object]:
    now = utc_now()
    return {"iss": "matcher", "aud": "api", "iat": now, "exp": now + timedelta(seconds=60)} | change


def signed(keys: ServiceKeys, body: dict[str, object], *, by: str = "matcher", algorithm: str = "EdDSA") -> str:
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(keys.private(by)))
    return jwt.encode(body, key, algorithm=algorithm)


@pytest.mark.parametrize(
    "change",
    [
        {"aud": "chain"},
        {"iss": "nobody"},
        {"exp": datetime(2020, 1, 1, tzinfo=UTC)},
        {"iat": datetime(2099, 1, 1, tzinfo=UTC)},
        {"exp": None},
        {"iss": "api"},
    ],
)
def test_token_for_another_audience_time_or_issuer_is_refused(
    service_keys: ServiceKeys, change: dict[str, object]
) -> None:
    body = {key: value for key, value in claims(**change).items() if value is not None}
    with pytest.raises(NotAuthenticated):
        verifier(service_keys).caller(f"Bearer {signed(service_keys, body)}")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Basic abc", "Bearer a.b.c"])
def test_missing_or_broken_token_is_refused(service_keys: ServiceKeys, header: str | None) -> None:
    with pytest.raises(NotAuthenticated):
        verifier(service_keys).caller(header)


def test_unsigned_and_shared_secret_tokens_are_refused(service_keys: ServiceKeys) -> None:
    none = jwt.encode(claims(), cast(Any, None), algorithm="none")
    shared = jwt.encode(claims(), json.loads(service_keys.public_json)["matcher"] * 2, algorithm="HS256")
    for token in (none, shared):
        with pytest.raises(NotAuthenticated):
            verifier(service_keys).caller(f"Bearer {token}")


def test_flipped_byte_of_a_token_is_refused(service_keys: ServiceKeys) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    token = ServiceSigner("matcher", service_keys.private("matcher")).token("api")
    rng = random.Random(seed)
    for _ in range(50):
        at = rng.randrange(len(token) - 1)  # the last letter holds bits that base64 ignores
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(NotAuthenticated):
            verifier(service_keys).caller(f"Bearer {changed}")
