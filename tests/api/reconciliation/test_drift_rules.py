"""What counts as a drift, by figures alone."""

from dataclasses import replace

import pytest

from tokenx_api.reconciliation import rules
from tokenx_api.reconciliation.models import Position, Token

TOKEN = Token("off_1", 31337, "0x" + "11" * 20)
GOOD = Position(token=TOKEN, holder="inv_1", address="0x" + "22" * 20, is_known=True, ledger=35, in_flight=-25, register=60, on_chain=60)  # fmt: skip


def kinds(position: Position) -> list[tuple[str, int, int]]:
    return [(drift.kind, drift.expected, drift.found) for drift in rules.drifts(position)]


def test_books_that_agree_are_no_drift_with_units_in_flight() -> None:
    assert kinds(GOOD) == []
    assert kinds(replace(GOOD, address=None, on_chain=None, ledger=0, in_flight=0, register=0)) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"on_chain": 61}, [("register_chain", 60, 61)]),
        ({"on_chain": 0}, [("register_chain", 60, 0)]),
        ({"ledger": 36}, [("ledger_register", 61, 60)]),
        ({"in_flight": 0}, [("ledger_register", 35, 60)]),
        ({"register": 59}, [("ledger_register", 60, 59), ("register_chain", 59, 60)]),
        ({"is_known": False, "ledger": 0, "in_flight": 0}, [("unknown_holder", 0, 60)]),
        ({"is_known": False, "on_chain": 0}, [("unknown_holder", 0, 60), ("register_chain", 60, 0)]),
        ({"address": None, "on_chain": None, "register": 0}, [("ledger_register", 60, 0)]),
    ],
    ids=str,
)
def test_each_difference_has_its_kind(changed: dict[str, int], expected: list[tuple[str, int, int]]) -> None:
    assert kinds(replace(GOOD, **changed)) == expected  # pyright: ignore[reportArgumentType]  # the table's values are of mixed types


def test_only_what_is_seen_twice_with_the_same_figures_is_confirmed() -> None:
    (first,), (moved,) = rules.drifts(replace(GOOD, on_chain=61)), rules.drifts(replace(GOOD, on_chain=62))
    assert rules.confirmed([], [first]) == []
    assert rules.confirmed([first], [moved]) == []
    assert rules.confirmed([first], [moved, first]) == [first]
