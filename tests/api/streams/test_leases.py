"""Leases, cursors and replay, as the other services see them."""

import asyncio

import pytest

from tests.api.orders.venue import Venue
from tokenx_api.streams import service
from tokenx_common.errors import NotFound, StaleEpoch


async def _take(venue: Venue, resource: str, holder: str, ttl_s: float = 30) -> tuple[int, dict[str, object]]:
    answer = await venue.api.service("matcher").post(
        f"/internal/leases/{resource}", json={"holder": holder, "ttl_s": ttl_s}
    )
    return answer.status_code, answer.json()


async def test_first_holder_gets_epoch_one_and_renews_it(venue: Venue) -> None:
    first, again = await _take(venue, "matcher:a", "m:1"), await _take(venue, "matcher:a", "m:1")
    assert [(status, body["epoch"]) for status, body in (first, again)] == [(200, 1), (200, 1)]


async def test_second_holder_waits_until_the_lease_expires_and_gets_the_next_epoch(venue: Venue) -> None:
    await _take(venue, "matcher:b", "m:1", ttl_s=0.3)
    status, body = await _take(venue, "matcher:b", "m:2")
    assert (status, body["code"]) == (409, "lease.held")
    assert 0 <= body["retry_after_s"] <= 0.3  # pyright: ignore[reportOperatorIssue]  # JSON
    async with asyncio.timeout(5):
        while (await _take(venue, "matcher:b", "m:2"))[0] != 200:
            await asyncio.sleep(0.05)
    status, body = await _take(venue, "matcher:b", "m:2")
    assert (status, body["epoch"]) == (200, 2)


async def test_released_lease_is_free_at_once_and_its_epoch_is_spent(venue: Venue) -> None:
    await _take(venue, "matcher:c", "m:1")
    matcher = venue.api.service("matcher")
    assert (await matcher.delete("/internal/leases/matcher:c", params={"epoch": 7})).status_code == 204, (
        "not ours: nothing happens"
    )
    assert (await _take(venue, "matcher:c", "m:2"))[0] == 409
    assert (await matcher.delete("/internal/leases/matcher:c", params={"epoch": 1})).status_code == 204
    status, body = await _take(venue, "matcher:c", "m:2")
    assert (status, body["epoch"]) == (200, 2)


async def test_twenty_takers_and_one_wins(venue: Venue) -> None:
    answers = await asyncio.gather(*(_take(venue, "matcher:d", f"m:{number}") for number in range(20)))
    assert sorted(status for status, _ in answers) == [200] + [409] * 19


async def test_require_epoch_refuses_any_but_the_current_one(venue: Venue) -> None:
    await _take(venue, "matcher:e", "m:1")
    for epoch, accepted in ((1, True), (0, False), (2, False)):
        async with venue.context.db.write() as conn:
            if accepted:
                await service.require_epoch(conn, resource="matcher:e", epoch=epoch)
            else:
                with pytest.raises(StaleEpoch):
                    await service.require_epoch(conn, resource="matcher:e", epoch=epoch)


async def test_cursor_moves_by_compare_and_set_only(venue: Venue) -> None:
    async def move(prev_seq: int, seq: int) -> bool:
        async with venue.context.db.write() as conn:
            return await service.move_cursor(conn, consumer="c", stream="s:1", prev_seq=prev_seq, seq=seq)

    assert [await move(5, 6), await move(0, 4), await move(0, 4), await move(4, 9), await move(4, 9)] == [
        False, True, False, True, False,
    ]  # fmt: skip
    raced = await asyncio.gather(*(move(9, 10 + number) for number in range(6)))
    assert sorted(raced) == [False] * 5 + [True]


async def test_command_stream_replays_dense_and_paged(venue: Venue) -> None:
    buyer = await venue.trader(cash=100_000)
    for _ in range(4):
        await buyer.place("buy", 1)
    stream = f"cmd:{venue.offering.offering_id}"
    matcher = venue.api.service("matcher")
    page = (await matcher.get(f"/internal/streams/{stream}", params={"after": 1, "limit": 2})).json()
    assert (page["stream"], page["head"], [item["seq"] for item in page["items"]]) == (stream, 5, [2, 3])
    assert page["items"][0].keys() == {"seq", "body", "hash"}
    assert (await matcher.get(f"/internal/streams/{stream}", params={"after": 5})).json()["items"] == []


async def test_execution_stream_serves_what_was_ingested(venue: Venue) -> None:
    buyer = await venue.trader(cash=100_000)
    await buyer.place("buy", 1)
    await venue.match()
    kyt = venue.api.service("kyt")
    page = (await kyt.get(f"/internal/streams/ev:{venue.offering.offering_id}")).json()
    assert page["items"] == venue.room.log[venue.offering.offering_id]
    assert (page["head"], page["epoch"]) == (2, 1)


@pytest.mark.parametrize("stream", ["ev:off_none", "cmd:off_none", "chain:7", "chain:x", "alerts:none", "nonsense"])
async def test_unknown_stream_is_404(venue: Venue, stream: str) -> None:
    answer = await venue.api.service("kyt").get(f"/internal/streams/{stream}")
    assert (answer.status_code, answer.json()["code"]) == (404, "stream.not_found")
    async with venue.context.db.read() as conn:
        with pytest.raises(NotFound):
            await service.page(conn, stream=stream, after=0, limit=1)


@pytest.mark.parametrize("stream", ["alerts:kyt", "alerts:surveillance"])
async def test_alert_streams_start_empty(venue: Venue, stream: str) -> None:
    page = (await venue.api.service("api").get(f"/internal/streams/{stream}")).json()
    assert (page["head"], page["items"]) == (0, [])


async def test_matcher_offerings_tell_where_to_go_on(venue: Venue) -> None:
    answer = (await venue.api.service("matcher").get("/internal/matcher/offerings")).json()
    (mine,) = [row for row in answer["offerings"] if row["offering_id"] == venue.offering.offering_id]
    assert (mine["cmd_seq"], mine["exec_seq"], mine["exec_cmd_seq"], mine["market_state"]) == (1, 1, 1, "continuous")
    assert mine["exec_hash"] == venue.room.engines[venue.offering.offering_id].exec_hash.hex()


@pytest.mark.parametrize(
    "path", ["/internal/streams/alerts:kyt", "/internal/matcher/offerings", "/internal/cursors?consumer=kyt"]
)
async def test_internal_routes_need_a_service_token(venue: Venue, path: str) -> None:
    assert (await venue.api.anonymous().get(path)).status_code == 401
    buyer = await venue.trader()
    assert (await buyer.http.get(path)).status_code == 401
