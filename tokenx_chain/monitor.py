"""Looks after one chain's own state: nonces of its signers, gaps in them, health of its endpoints. Reports it through the journal, and to Prometheus."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final

from tokenx_chain import metrics
from tokenx_chain.journal import Journal, Record
from tokenx_chain.networks.rpc import Endpoint, RpcError, RpcUnavailable
from tokenx_chain.signers.keybook import name_of
from tokenx_chain.transactions.desk import NonceView, TransactionDesk
from tokenx_common.clock import monotonic_s
from tokenx_common.errors import DependencyUnavailable
from tokenx_common.log import get_logger

log = get_logger(__name__)

EVERY_S: Final = 5.0
MOST_SIGNERS: Final = 100
"""Looked at in one round: those with something to tell come first, the others in later rounds."""

Status = Callable[[], dict[str, Any]]


class Monitor:
    """One chain's reporter. status: what GET /v1/chains/{id}/status answers."""

    def __init__(self, chain_id: int, *, desk: TransactionDesk, journal: Journal, endpoints: Sequence[Endpoint], status: Status, backend: str,
                 block_time_s: float, event_seq: Callable[[], int], policy_version: Callable[[], int]) -> None:  # fmt: skip
        self._chain_id = chain_id
        self._desk = desk
        self._journal = journal
        self._endpoints = endpoints
        self._status = status
        self._backend = backend
        self._block_time_s = block_time_s
        self._event_seq = event_seq
        self._policy_version = policy_version
        self._suspected: dict[str, set[int]] = {}
        self._told: dict[str, int] = {}
        self._mined: dict[str, int] = {}

    async def run(self) -> None:
        """Report for ever. Runs as a task that its owner cancels."""
        while True:
            record = await self.report()
            if record is not None:
                await self._journal.write([record])
                metrics.show(self._chain_id, record, event_seq=self._event_seq(), consumed_seq=self._journal.consumed_seq,
                             policy_version=self._policy_version())  # fmt: skip
            await asyncio.sleep(EVERY_S)

    async def report(self) -> Record | None:
        """The monitoring record; None before the first block was seen."""
        status = self._status()
        if status["observed_at"] is None:
            return None
        columns = {key: status[key] for key in ("status", "head_number", "head_hash", "finalized_number", "observed_at", "detail")}  # fmt: skip
        lag_s = round((status["head_number"] - status["finalized_number"]) * self._block_time_s)
        signers = await self._signers()
        if any(signer["gaps"] for signer in signers):
            columns["status"] = "degraded" if columns["status"] == "ok" else columns["status"]
        return {"op": "monitoring", **columns, "finality_lag_s": max(0, lag_s), "oldest_unmined_s": int(status["detail"].get("oldest_unmined_s", 0)),
                "signers": signers, "endpoints": self._endpoint_reports()}  # fmt: skip

    async def _signers(self) -> list[Record]:
        """Nothing while the node is away: what was reported last stays as it was, with its time."""
        try:
            views = await self._desk.nonces(self._told, limit=MOST_SIGNERS)
        except (RpcUnavailable, RpcError, DependencyUnavailable):
            return []
        self._told |= {view.address: view.next for view in views}
        return [self._signer_report(view) for view in views]

    def _signer_report(self, view: NonceView) -> Record:
        return {"key_ref": name_of(view.key_ref), "epoch": view.epoch, "address": view.address, "backend": self._backend, "status": "paused" if view.paused else "active",
                "reason": view.paused, "latest_nonce": view.latest, "next_nonce": view.next, "in_flight": view.in_flight, "queued": view.queued,
                "gaps": self._confirmed(view)}  # fmt: skip

    def _confirmed(self, view: NonceView) -> list[int]:
        """Gaps of two rounds in a row: between two answers of a node that lags, a mined transaction can look like one."""
        self._mined[view.address] = max(view.latest, self._mined.get(view.address, 0))
        now = {nonce for nonce in view.gaps if nonce >= self._mined[view.address]}
        gaps = sorted(now & self._suspected.get(view.address, set()))
        self._suspected[view.address] = now
        if gaps:
            log.error("signer.nonce_gap", address=view.address, key_ref=view.key_ref, gaps=gaps[:20])
        return gaps[:1000]

    def _endpoint_reports(self) -> list[Record]:
        """By host and port. Two of one host, told apart by a path that must not be shown, differ by a sign at the end."""
        reports: dict[str, Record] = {}
        for endpoint in self._endpoints:
            name, health = endpoint.label, endpoint.health
            while name in reports:
                name += "+"
            reports[name] = {"endpoint": name, "score": f"{health.score:.2f}", "latency_ms": round(health.latency_s * 1000),
                             "is_cooling": health.cool_until_s > monotonic_s()}  # fmt: skip
        return list(reports.values())
