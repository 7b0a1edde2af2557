"""What Prometheus sees of a chain. Set with each report; docs/runbooks/chain.md says which of them wake somebody up."""

from typing import Any, Final

from prometheus_client import Gauge

_CHAIN: Final = ["chain"]
HEAD = Gauge("tokenx_chain_head_block", "Highest block seen", _CHAIN)
FINALIZED = Gauge("tokenx_chain_finalized_block", "Highest block whose final events are durable", _CHAIN)
FINALITY_LAG = Gauge("tokenx_chain_finality_lag_seconds", "Head minus finalized, in block times", _CHAIN)
OLDEST_UNMINED = Gauge("tokenx_chain_oldest_unmined_seconds", "Since the transaction that has waited longest was first sent", _CHAIN)  # fmt: skip
QUEUED = Gauge("tokenx_chain_intents_queued", "Intents without a nonce", _CHAIN)
IN_FLIGHT = Gauge("tokenx_chain_in_flight", "Transactions signed and not mined", _CHAIN)
NONCE_LAG = Gauge("tokenx_chain_nonce_lag", "Bound nonces that are not mined; all custodial keys of people as one", ["chain", "signer"])  # fmt: skip
NONCE_GAPS = Gauge("tokenx_chain_nonce_gaps", "Bound nonces that nothing of ours holds: must be 0", _CHAIN)
PAUSED = Gauge("tokenx_chain_senders_paused", "Signers that sign nothing at the moment", _CHAIN)
EVENT_SEQ = Gauge("tokenx_chain_event_seq", "Head of the event stream", _CHAIN)
SEQ_LAG = Gauge("tokenx_chain_event_seq_lag", "Events the api has not taken in yet", _CHAIN)
STATUS = Gauge("tokenx_chain_status", "1 for what the chain is: ok, degraded, down or halted", ["chain", "status"])
ENDPOINT = Gauge("tokenx_chain_endpoint_score", "From 0 (never answers) to 1", ["chain", "endpoint"])
POLICY_VERSION = Gauge("tokenx_chain_policy_version", "Approved changes of the policy that are in effect", _CHAIN)

STATES: Final = ("ok", "degraded", "down", "halted")
_PEOPLE: Final = "people"


def show(chain_id: int, report: dict[str, Any], *, event_seq: int, consumed_seq: int, policy_version: int) -> None:
    """Set everything from one monitoring record."""
    chain = str(chain_id)
    signers: list[dict[str, Any]] = report["signers"]
    HEAD.labels(chain).set(report["head_number"])
    FINALIZED.labels(chain).set(report["finalized_number"])
    FINALITY_LAG.labels(chain).set(report["finality_lag_s"])
    OLDEST_UNMINED.labels(chain).set(report["oldest_unmined_s"])
    QUEUED.labels(chain).set(sum(signer["queued"] for signer in signers))
    IN_FLIGHT.labels(chain).set(sum(signer["in_flight"] for signer in signers))
    NONCE_GAPS.labels(chain).set(sum(len(signer["gaps"]) for signer in signers))
    PAUSED.labels(chain).set(sum(signer["status"] == "paused" for signer in signers))
    EVENT_SEQ.labels(chain).set(event_seq)
    SEQ_LAG.labels(chain).set(max(0, event_seq - consumed_seq))
    POLICY_VERSION.labels(chain).set(policy_version)
    for state in STATES:
        STATUS.labels(chain, state).set(state == report["status"])
    for name, lag in _lags(signers).items():
        NONCE_LAG.labels(chain, name).set(lag)
    for endpoint in report["endpoints"]:
        ENDPOINT.labels(chain, endpoint["endpoint"]).set(endpoint["score"])


def _lags(signers: list[dict[str, Any]]) -> dict[str, int]:
    """By the platform's own keys; those of investors and issuers together, because every label is a time series for ever."""
    lags: dict[str, int] = {_PEOPLE: 0}
    for signer in signers:
        name = _PEOPLE if ":" in signer["key_ref"] else signer["key_ref"]
        lags[name] = max(lags.get(name, 0), signer["next_nonce"] - signer["latest_nonce"])
    return lags
