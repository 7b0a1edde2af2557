"""Scores of transfers: lists, behaviour in event time, levels."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.kyt.builders import CASH, LISTED, USD, ZERO, settlement, transfer, wallet
from tokenx_common.clock import FrozenClock
from tokenx_common.errors import DependencyUnavailable
from tokenx_common.stream import Item
from tokenx_kyt.addresses import parse_address
from tokenx_kyt.backends.local import LocalProvider
from tokenx_kyt.chain_analysis import ChainAnalysis
from tokenx_kyt.lists import ListSet
from tokenx_kyt.scoring import Factor, combine, level_of

AS_OF = date(2026, 11, 22)
FORMER = wallet(66)


def provider(*, days_later: int = 0, hold: bool = False) -> LocalProvider:
    lists = ListSet(
        (), {parse_address(LISTED): "SYNTHETIC"}, {parse_address(FORMER): "SYNTHETIC MIXER"}, "v1" * 32, AS_OF
    )
    clock = FrozenClock(datetime(2026, 11, 22, 12, tzinfo=UTC) + timedelta(days=days_later))
    return LocalProvider(lists, clock, max_age=timedelta(days=1), hold=hold)


async def results(*items: Item) -> list[Any]:
    analysis = ChainAnalysis(31337, provider(), FrozenClock(datetime(2026, 11, 22, tzinfo=UTC)))
    return [await analysis.observe(item) for item in items]


async def last_score(*items: Item) -> dict[str, Any]:
    return dict((await results(*items))[-1].scores[0])


def codes(score: dict[str, Any]) -> list[str]:
    return [factor["code"] for factor in score["factors"]]


@pytest.mark.parametrize(
    ("points", "score"), [([], 0), ([100], 100), ([100, 35], 100), ([35], 35), ([50, 50], 75), ([45, 40, 30], 77)]
)
def test_factors_combine_without_exceeding_a_hundred(points: list[int], score: int) -> None:
    assert combine(Factor("f", p, "") for p in points) == score


@pytest.mark.parametrize(
    ("score", "level"),
    [(100, "severe"), (90, "severe"), (89, "high"), (70, "high"), (69, "medium"), (40, "medium"), (39, "low"), (10, "low"), (9, "no_hit")],
)  # fmt: skip
def test_levels(score: int, level: str) -> None:
    assert level_of(score) == level


@pytest.mark.parametrize("address", [LISTED, LISTED.lower(), LISTED.upper().replace("0X", "0x")])
async def test_listed_party_is_severe_in_any_case_of_letters(address: str) -> None:
    (result,) = await results(transfer(1, wallet(1), address, 5))
    (score,), (alert,) = result.scores, result.alerts
    assert (score["level"], score["score"], codes(score)) == ("severe", 100, ["sanctions_direct"])
    assert (alert.kind, alert.row["severity"], alert.row["score_id"]) == ("sanctions", "severe", score["score_id"])


async def test_formerly_listed_party_is_a_mixer_and_never_sanctions() -> None:
    (result,) = await results(transfer(1, FORMER, wallet(1), 5))
    (score,) = result.scores
    assert (score["level"], score["score"]) == ("low", 35)
    assert [(f["code"], f["category"]) for f in score["factors"]] == [("formerly_sanctioned", "mixer")]
    assert result.alerts == []


async def test_zero_address_is_never_flagged() -> None:
    mint, burn = [r.scores[0] for r in await results(transfer(1, ZERO, wallet(1), 5), transfer(2, wallet(1), ZERO, 5))]
    assert (mint["level"], burn["level"]) == ("no_hit", "no_hit")


async def test_only_final_transfers_are_scored() -> None:
    seen = transfer(1, wallet(1), LISTED, 5, kind="transfer.seen")
    assert [bool(result) for result in await results(seen, transfer(2, wallet(1), LISTED, 5))] == [False, True]


async def test_unreadable_event_raises_an_alert_and_does_not_block() -> None:
    broken = transfer(1, "0xnonsense", wallet(1), 5)
    first, second = await results(broken, transfer(2, wallet(1), wallet(2), 5))
    assert first.scores == []
    assert first.alerts[0].kind == "unscored_event"
    assert second.scores


async def test_score_and_alert_ids_are_the_same_in_every_replay() -> None:
    item = transfer(1, wallet(1), LISTED, 5)
    (one,), (two,) = await results(item), await results(item)
    assert one == two
    assert len(one.scores[0]["input_hash"]) == 64


async def test_three_deposits_just_under_the_limit_are_structuring() -> None:
    deposits = [transfer(n, ZERO, wallet(1), 9_000 * USD, minutes=60 * n) for n in (1, 2, 3)]
    scores = [r.scores[0] for r in await results(*deposits)]
    assert ["structuring" in codes(score) for score in scores] == [False, False, True]
    assert scores[-1]["level"] == "medium"
    spread = [transfer(n, ZERO, wallet(1), 9_000 * USD, minutes=60 * 13 * n) for n in (1, 2, 3)]
    assert codes(await last_score(*spread)) == []
    at_the_limit = [transfer(n, ZERO, wallet(1), 10_000 * USD, minutes=n) for n in (1, 2, 3)]
    assert codes(await last_score(*at_the_limit)) == []


async def test_cash_that_passes_through_is_rapid_in_out() -> None:
    through = (
        transfer(1, wallet(1), wallet(2), 5_000 * USD),
        transfer(2, wallet(2), wallet(3), 4_500 * USD, minutes=30),
    )
    score = await last_score(*through)
    assert (codes(score), score["level"]) == (["rapid_in_out"], "medium")
    slow = (transfer(1, wallet(1), wallet(2), 5_000 * USD), transfer(2, wallet(2), wallet(3), 4_500 * USD, minutes=61))
    assert codes(await last_score(*slow)) == []


async def test_spending_a_deposit_or_the_price_of_a_sale_is_not_rapid_in_out() -> None:
    deposit = (transfer(1, ZERO, wallet(2), 5_000 * USD), transfer(2, wallet(2), wallet(3), 5_000 * USD, minutes=1))
    assert codes(await last_score(*deposit)) == []
    sale = (
        transfer(1, wallet(1), wallet(2), 5_000 * USD, tx=7),
        settlement(2, wallet(2), wallet(1), tx=7),
        transfer(3, wallet(2), wallet(3), 5_000 * USD, minutes=1),
    )
    assert codes(await last_score(*sale)) == []


async def test_burst_far_above_the_own_pace_is_velocity_and_a_steady_pace_is_not() -> None:
    burst = [transfer(n, wallet(1), wallet(2), 1, minutes=n, token=CASH) for n in range(1, 10)]
    score = await last_score(*burst)
    assert codes(score) == ["velocity"]
    assert score["level"] == "low"
    steady = [transfer(n, wallet(1), wallet(2), 1, minutes=20 * n) for n in range(1, 200)]
    assert codes(await last_score(*steady)) == []


async def test_large_amount_of_a_new_wallet_scores_and_of_an_old_one_does_not() -> None:
    small = [transfer(n, wallet(n), wallet(n + 1), n * USD, minutes=n) for n in range(1, 30)]
    score = await last_score(*small, transfer(30, wallet(50), wallet(51), 900 * USD, minutes=30))
    assert (codes(score), score["level"]) == (["new_wallet"], "low")
    later = transfer(30, wallet(3), wallet(4), 900 * USD, minutes=60 * 24 * 8)
    assert codes(await last_score(*small, later)) == []


async def test_stale_list_is_shown_in_dev_and_holds_in_prod() -> None:
    async def screened(address: str, *, hold: bool) -> tuple[str, int | None, list[str]]:
        found = await provider(days_later=2, hold=hold).screen_address(chain_id=1, address=parse_address(address))
        return found.level, found.score, [factor.code for factor in found.factors]

    assert await screened(wallet(1), hold=False) == ("no_hit", 0, ["stale_list"])
    assert await screened(wallet(1), hold=True) == ("unknown", None, ["stale_list"])
    assert await screened(LISTED, hold=True) == ("severe", 100, ["sanctions_direct", "stale_list"])
    with pytest.raises(DependencyUnavailable):
        await provider(days_later=2, hold=True).health()
    assert "1 listed" in await provider().health()
