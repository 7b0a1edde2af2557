"""The chain's event stream: every final transfer gets one score, and an alert from `medium` on."""

import hashlib
from typing import Any, Final

from pydantic import ValidationError

from tokenx_common.canonical import canonical_json
from tokenx_common.clock import Clock, rfc3339
from tokenx_common.events import ChainItem, SettlementFinalPayload
from tokenx_common.log import get_logger
from tokenx_common.stream import Item
from tokenx_kyt.addresses import format_address, parse_address
from tokenx_kyt.backends.base import RiskProvider, RiskResult
from tokenx_kyt.history import ChainHistory
from tokenx_kyt.results import AlertDraft, AlertStream, Result, stable_id
from tokenx_kyt.scoring import Factor
from tokenx_kyt.transfers import Transfer, parse_transfer

log = get_logger(__name__)

ALERT_LEVELS: Final = ("severe", "high", "medium")


class ChainAnalysis:
    """One chain."""

    alert_stream: AlertStream = "alerts:kyt"
    commit_path = "/internal/kyt/batches"
    lookback: int | None = None

    def __init__(self, chain_id: int, provider: RiskProvider, clock: Clock) -> None:
        self._chain_id = chain_id
        self._provider = provider
        self._clock = clock
        self._history = ChainHistory()

    def remember(self, item: Item) -> None:
        """History only; no provider is asked."""
        self._take(item)

    async def observe(self, item: Item) -> Result:
        """The score of a final transfer. An event that cannot be read raises an alert instead of blocking the chain."""
        taken = self._take(item)
        if taken is None:
            return Result()
        if isinstance(taken, AlertDraft):
            return Result(alerts=[taken])
        transfer, behaviour = taken
        answer = await self._provider.screen_transfer(transfer, behaviour)
        score = _score_row(transfer, behaviour, answer, scored_at=rfc3339(self._clock.now()))
        return Result([score], [_alert(transfer, answer, score)] if answer.level in ALERT_LEVELS else [])

    def _take(self, item: Item) -> tuple[Transfer, tuple[Factor, ...]] | AlertDraft | None:
        try:
            event = ChainItem.model_validate(item)
            if event.type == "settlement.final":
                self._settled(event)
                return None
            if event.type != "transfer.final":
                return None
            transfer = parse_transfer(event, self._chain_id)
        except (ValidationError, ValueError) as error:
            log.error("chain_event.unreadable", chain_id=self._chain_id, seq=item.get("seq"), error=str(error))
            return self._unreadable(item)
        return transfer, self._history.observe(transfer)

    def _settled(self, event: ChainItem) -> None:
        payload = SettlementFinalPayload.model_validate(event.payload)
        parties = (parse_address(payload.seller), parse_address(payload.buyer))
        self._history.settled(event.tx_hash or "", parties)

    def _unreadable(self, item: Item) -> AlertDraft:
        key = f"unscored:{self._chain_id}:{item['seq']}"
        return AlertDraft("unscored_event", {
            "alert_id": stable_id("alr", key), "dedupe_key": key, "kind": "unscored_event", "severity": "high",
            "title": "A chain event could not be read and was not scored", "score_id": None,
            "facts": {"chain_id": self._chain_id, "seq": item["seq"], "event_id": str(item.get("event_id", ""))},
            "raised_at": rfc3339(self._clock.now()),
        })  # fmt: skip


def _score_row(
    transfer: Transfer, behaviour: tuple[Factor, ...], answer: RiskResult, *, scored_at: str
) -> dict[str, Any]:
    """As kyt.tx_risk_scores stores it."""
    return {
        "score_id": stable_id("scr", f"{answer.provider}:{transfer.chain_id}:{transfer.event_id}"),
        "chain_id": transfer.chain_id,
        "seq": transfer.seq,
        "event_id": transfer.event_id,
        "tx_hash": transfer.tx_hash,
        "token": format_address(transfer.token),
        "from_address": format_address(transfer.sender),
        "to_address": format_address(transfer.receiver),
        "amount": str(transfer.amount),
        "provider": answer.provider,
        "level": answer.level,
        "score": answer.score,
        "factors": [factor.row() for factor in answer.factors],
        "list_version": answer.list_version,
        "list_as_of": answer.list_as_of.isoformat() if answer.list_as_of else None,
        "input_hash": _input_hash(transfer, behaviour, answer.list_version),
        "scored_at": scored_at,
    }


def _input_hash(transfer: Transfer, behaviour: tuple[Factor, ...], list_version: str) -> str:
    """sha256 of everything the score was made from, hex: equal inputs must have equal scores."""
    inputs = {
        "event_id": transfer.event_id,
        "token": format_address(transfer.token),
        "from": format_address(transfer.sender),
        "to": format_address(transfer.receiver),
        "amount": str(transfer.amount),
        "at": rfc3339(transfer.at),
        "behaviour": [factor.row() for factor in behaviour],
        "list_version": list_version,
    }
    return hashlib.sha256(canonical_json(inputs).encode()).hexdigest()


def _alert(transfer: Transfer, answer: RiskResult, score: dict[str, Any]) -> AlertDraft:
    """kind is the heaviest factor's; the facts repeat the score so that the alert can be read alone."""
    heaviest = max(answer.factors, key=lambda factor: factor.points)
    kind = "sanctions" if heaviest.code == "sanctions_direct" else heaviest.code
    key = f"{answer.provider}:{transfer.chain_id}:{transfer.event_id}"
    what = "cash" if transfer.is_cash else transfer.token_name
    return AlertDraft(kind, {
        "alert_id": stable_id("alr", key), "dedupe_key": key, "kind": kind, "severity": answer.level,
        "title": f"Transfer of {what} scored {answer.level}: {kind.replace('_', ' ')}",
        "score_id": score["score_id"],
        "facts": {name: score[name] for name in ("chain_id", "event_id", "tx_hash", "token", "from_address", "to_address",
                                                 "amount", "score", "factors", "list_version", "list_as_of")}
                 | {"graph": "edges seen by this platform only"},
        "raised_at": score["scored_at"],
    })  # fmt: skip
