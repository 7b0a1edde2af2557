"""What kyt sends, with everything a test does not care about filled in."""

from typing import Any

from tests.api.builders import CHAIN_ID, address
from tests.api.in_process import Api

Body = dict[str, Any]
STREAM = f"chain:{CHAIN_ID}"


def score(number: int, **changed: Any) -> Body:
    return {
        "score_id": f"scr_{number}", "chain_id": CHAIN_ID, "seq": number, "event_id": f"transfer.final:{number}", "tx_hash": "0x1",
        "token": address(1), "from_address": address(2), "to_address": address(3), "amount": "1000000000000000000000", "provider": "local",
        "level": "high", "score": 70, "factors": [{"code": "x", "points": 70}], "list_version": "v1", "list_as_of": "2026-05-26",
        "input_hash": "ab" * 32, "scored_at": f"2026-01-01T00:00:{number:02d}Z",
    } | changed  # fmt: skip


def kyt_alert(seq: int, *, severity: str = "high", **changed: Any) -> Body:
    return {
        "alert_id": f"alr_k{seq}", "seq": seq, "dedupe_key": f"k{seq}", "kind": "sanctions", "severity": severity, "title": "A hit",
        "score_id": None, "facts": {"hops": 1}, "raised_at": "2026-01-01T00:00:00Z",
    } | changed  # fmt: skip


def surveillance_alert(seq: int, offering_id: str, *, severity: str = "medium", **changed: Any) -> Body:
    return {
        "alert_id": f"alr_s{seq}", "seq": seq, "dedupe_key": f"s{seq}", "detector": "S03_wash_ring", "detector_version": 1,
        "severity": severity, "offering_id": offering_id, "from_seq": 1, "to_seq": 9, "subjects": [{"owner_group": 1, "role": "buyer"}],
        "metrics": {"share": {"value": "0.9", "threshold": "0.5"}}, "fill_ids": ["f:1"], "title": "A ring", "replay_hash": "cd" * 32,
        "raised_at": "2026-01-01T00:00:00Z",
    } | changed  # fmt: skip


async def report(
    api: Api, *, scores: list[Body] | None = None, alerts: list[Body] | None = None, prev_seq: int = 0, seq: int = 1, epoch: int = 1
) -> Any:  # fmt: skip
    """POST /internal/kyt/batches."""
    body = {
        "epoch": epoch,
        "stream": STREAM,
        "prev_seq": prev_seq,
        "seq": seq,
        "scores": scores or [],
        "alerts": alerts or [],
    }
    async with api.service("kyt") as kyt:
        return await kyt.post("/internal/kyt/batches", json=body)
