"""What the monitor reports: gaps only when they are there twice, endpoints without their paths, the platform's keys apart from those of people."""

from typing import Any

import pytest
from prometheus_client import REGISTRY

from tokenx_chain import metrics
from tokenx_chain.monitor import Monitor
from tokenx_chain.networks.rpc import Rpc
from tokenx_chain.transactions.desk import NonceView
from tokenx_common.clock import rfc3339, utc_now

CHAIN = 4242


class Desk:
    """The part of a desk the monitor asks."""

    def __init__(self, *views: NonceView) -> None:
        self.views = list(views)

    async def nonces(self, _told: dict[str, int], *, limit: int) -> list[NonceView]:
        return self.views[:limit]


def a_view(
    *, gaps: tuple[int, ...] = (), latest: int = 3, key_ref: str = "platform", paused: str | None = None
) -> NonceView:
    return NonceView(key_ref, "0x" + "ab" * 20, latest, 8, 9, 2, 1, list(gaps), paused)


def a_monitor(desk: Desk, *urls: str) -> Monitor:
    status = {"status": "ok", "head_number": 50, "head_hash": "0x1", "finalized_number": 40, "observed_at": rfc3339(utc_now()),
              "detail": {"oldest_unmined_s": 7.5}}  # fmt: skip
    stand_ins: Any = {"desk": desk, "journal": None}
    return Monitor(CHAIN, **stand_ins, endpoints=Rpc(urls).endpoints, status=lambda: status, backend="local", block_time_s=2.0,
                   event_seq=lambda: 12, policy_version=lambda: 1)  # fmt: skip


async def report(monitor: Monitor) -> dict[str, Any]:
    record = await monitor.report()
    assert record is not None
    return record


async def test_gap_is_alarmed_when_it_is_there_twice_and_makes_the_chain_degraded() -> None:
    desk = Desk(a_view(gaps=(5, 6)))
    monitor = a_monitor(desk)
    first = await report(monitor)
    assert (first["signers"][0]["gaps"], first["status"]) == ([], "ok")
    second = await report(monitor)
    assert (second["signers"][0]["gaps"], second["status"]) == ([5, 6], "degraded")
    metrics.show(CHAIN, second, event_seq=12, consumed_seq=5, policy_version=1)
    assert REGISTRY.get_sample_value("tokenx_chain_nonce_gaps", {"chain": str(CHAIN)}) == 2
    assert REGISTRY.get_sample_value("tokenx_chain_event_seq_lag", {"chain": str(CHAIN)}) == 7
    assert REGISTRY.get_sample_value("tokenx_chain_finality_lag_seconds", {"chain": str(CHAIN)}) == 20
    assert REGISTRY.get_sample_value("tokenx_chain_oldest_unmined_seconds", {"chain": str(CHAIN)}) == 7


async def test_node_that_lags_is_not_taken_for_a_gap() -> None:
    """It said 7 were mined before; now another endpoint says 3, and 5 and 6, mined and forgotten, look like gaps for a while."""
    desk = Desk(a_view(latest=7))
    monitor = a_monitor(desk)
    await report(monitor)
    desk.views = [a_view(latest=3, gaps=(5, 6))]
    for _ in range(3):
        assert (await report(monitor))["signers"][0]["gaps"] == []


async def test_endpoints_are_named_without_paths_and_told_apart() -> None:
    monitor = a_monitor(
        Desk(), "https://node.example/v2/secret-1", "https://node.example/v2/secret-2", "http://127.0.0.1:8545"
    )
    names = [endpoint["endpoint"] for endpoint in (await report(monitor))["endpoints"]]
    assert names == ["node.example", "node.example+", "127.0.0.1:8545"]


@pytest.mark.parametrize(("key_ref", "label"), [("platform", "platform"), ("investor:inv_1", "people")])
async def test_keys_of_people_share_a_label_because_each_label_is_a_series_for_ever(key_ref: str, label: str) -> None:
    record = await report(a_monitor(Desk(a_view(key_ref=key_ref, paused="insufficient_funds"))))
    assert (record["signers"][0]["status"], record["signers"][0]["reason"]) == ("paused", "insufficient_funds")
    metrics.show(CHAIN, record, event_seq=0, consumed_seq=0, policy_version=1)
    assert REGISTRY.get_sample_value("tokenx_chain_nonce_lag", {"chain": str(CHAIN), "signer": label}) == 6
    assert REGISTRY.get_sample_value("tokenx_chain_nonce_lag", {"chain": str(CHAIN), "signer": key_ref}) == (
        6 if key_ref == label else None
    )
