"""The api's /internal/chain/* in memory, with the same rules: epochs, one transaction per nonce, dense events by compare-and-set, unique event ids.

Runs on a thread behind real HTTP and real service tokens. Hooks let a test act at the moment a record has become durable."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import Depends, FastAPI, Request

from tests.support.servers import ServiceKeys
from tokenx_common.errors import Conflict, DependencyUnavailable, NotFound, StaleEpoch
from tokenx_common.events import ChainItem
from tokenx_common.ids import new_id
from tokenx_common.problems import install_problem_handlers
from tokenx_common.service_auth import ServiceVerifier, require_service

Row = dict[str, Any]
ENDED = frozenset({"final", "reverted", "cancelled", "failed_presubmit", "rejected_policy", "sign_rejected", "dead"})


def _attempt(record: Row) -> Row:
    return {key: record.get(key) for key in ("attempt", "kind", "nonce", "tx_hash", "raw", "max_fee", "max_tip")}


def _bare(record: Row) -> Row:
    """A transaction's row before anything is signed for it."""
    kept = ("tx_id", "operation_id", "step", "from_address", "key_ref")
    return {key: record[key] for key in kept} | {"to_address": record["fields"]["to"]}


@dataclass
class JournalState:
    """What the api would hold."""

    epoch: int = 0
    holder: str = ""
    waiting: str = ""
    """Who asked last for the lease while another held it."""
    away: bool = False
    operations: dict[str, Row] = field(default_factory=dict[str, Row])
    transactions: dict[str, Row] = field(default_factory=dict[str, Row])
    contracts: dict[str, Row] = field(default_factory=dict[str, Row])
    events: list[Row] = field(default_factory=list[Row])
    checkpoint: Row = field(default_factory=lambda: {"block_number": 0, "block_hash": ""})
    dead_letters: list[Row] = field(default_factory=list[Row])
    monitoring: Row = field(default_factory=dict[str, Any])
    on_signed: Callable[[Row], None] | None = None
    """Called after a 'signed' record is durable and before the answer goes out."""
    lose_next_append_answer: bool = False
    sign_jobs: dict[str, Row] = field(default_factory=dict[str, Row])
    policies: list[Row] = field(default_factory=list[Row])
    history: list[tuple[str, str, str | None]] = field(default_factory=list[tuple[str, str, str | None]])
    """(tx_id, state, reason) in the order of writing."""

    rotations: dict[str, Row] = field(default_factory=dict[str, Row])
    approvals: int = 2
    """How many people agree to operations recorded from now on."""

    def request(self, kind: str, params: Row, chain_id: int = 31337) -> str:
        """Record an operation as the api does in its business transaction."""
        operation_id = new_id("op")
        self.operations[operation_id] = {"operation_id": operation_id, "chain_id": chain_id, "kind": kind, "params": params, "state": "queued",
                                         "correlation_id": f"cor-{kind}", "business_ref": "test", "result": None,
                                         "approvals": self.approvals}  # fmt: skip
        return operation_id

    def require_epoch(self, epoch: int) -> None:
        if epoch != self.epoch:
            raise StaleEpoch(f"epoch {epoch}, the lease is at {self.epoch}")

    def write(self, record: Row) -> None:
        getattr(self, f"_write_{record['op']}")(record)

    def _write_operation(self, record: Row) -> None:
        row = self.operations[record["operation_id"]]
        if row["state"] not in ("final", "failed"):
            row.update({key: value for key, value in record.items() if key != "op"})
        rotation = self.rotations.get(record["operation_id"])
        if rotation is not None and record["state"] == "failed" and not rotation["ended_at"]:
            rotation.update(ended_at="now", phase=rotation["phase"] if rotation["switched_at"] else "aborted")

    def _write_signed(self, record: Row) -> None:
        if record["operation_id"] not in self.operations:
            raise NotFound("operation")
        first = {**record, "attempt": 1, "kind": "initial"}
        known = self.transactions.get(record["tx_id"])
        if known is None or known.get("nonce") is None:
            self._require_free(first)
            self.transactions[record["tx_id"]] = {**record, "state": "signed", "attempts": [_attempt(first)]}
            self.history.append((record["tx_id"], "signed", None))
            self._close_job(record["tx_id"], 1)
        elif known["attempts"][0] != _attempt(first):
            raise Conflict("another transaction has this nonce or id", code="chain.nonce_taken")

    def _write_attempt(self, record: Row) -> None:
        row = self.transactions[record["tx_id"]]
        if len(row["attempts"]) >= record["attempt"]:
            if row["attempts"][record["attempt"] - 1] != _attempt(record):
                raise Conflict("another attempt has this number", code="chain.nonce_taken")
            return
        self._require_free(record)
        row["attempts"].append(_attempt(record))
        self._close_job(record["tx_id"], record["attempt"])
        state = "cancel_requested" if record["kind"] == "cancel" else "signed"
        row.update(nonce=record["nonce"], tx_hash=record["tx_hash"], raw=record["raw"], state=state)
        self.history.append((record["tx_id"], state, record["kind"]))

    def _require_free(self, record: Row) -> None:
        """A nonce with signed bytes never serves another intent."""
        for other in self.transactions.values():
            is_other = other["tx_id"] != record["tx_id"] and other["from_address"] == record["from_address"]
            if is_other and record["nonce"] in [attempt["nonce"] for attempt in other["attempts"]]:
                raise Conflict("another transaction has this nonce or id", code="chain.nonce_taken")
        for job in self.sign_jobs.values():
            is_other = job["tx_id"] != record["tx_id"] and job["from_address"] == record["from_address"]
            if is_other and job["nonce"] == record["nonce"] and job["state"] == "open":
                raise Conflict("being signed for another transaction", code="chain.nonce_taken")

    def _write_signing(self, record: Row) -> None:
        if record["operation_id"] not in self.operations:
            raise NotFound("operation")
        content = {key: value for key, value in record.items() if key != "op"}
        known = self.sign_jobs.get(record["job_id"])
        if known is not None:
            if {key: value for key, value in known.items() if key != "state"} != content:
                raise Conflict("the job is another", code="chain.nonce_taken")
            return
        self._require_free(record)
        if record["kind"] in ("initial", "fill"):
            row = self.transactions.setdefault(record["tx_id"], {**_bare(record), "nonce": None, "attempts": []})
            row["state"] = "signing"
            self.history.append((record["tx_id"], "signing", None))
        self.sign_jobs[record["job_id"]] = {**content, "state": "open"}

    def _write_sign_ended(self, record: Row) -> None:
        job = self.sign_jobs[record["job_id"]]
        if job["state"] == "open":
            job["state"] = record["state"]

    def _close_job(self, tx_id: str, attempt: int) -> None:
        for job in self.sign_jobs.values():
            if (job["tx_id"], job["attempt"], job["state"]) == (tx_id, attempt, "open"):
                job["state"] = "signed"

    def unsigned(self) -> Row:
        """What GET /internal/chain/sign-jobs answers."""
        used = {(row["from_address"], attempt["nonce"]) for row in self.transactions.values() for attempt in row["attempts"]}  # fmt: skip
        used |= {(job["from_address"], job["nonce"]) for job in self.sign_jobs.values() if job["state"] == "open"}
        jobs = [
            job
            for job in self.sign_jobs.values()
            if (
                self.transactions[job["tx_id"]]["state"] not in ENDED
                if job["state"] == "open" or job["kind"] in ("bump", "cancel")
                else (job["from_address"], job["nonce"]) not in used
            )
            and job["state"] != "signed"
        ]
        loose = [
            row
            for row in self.transactions.values()
            if row["nonce"] is not None
            and row["state"] not in ENDED
            and self.operations[row["operation_id"]]["state"] in ("final", "failed")
        ]
        return {"jobs": jobs, "loose": loose}

    def _write_intent(self, record: Row) -> None:
        row = self.transactions.setdefault(
            record["tx_id"], {**record, "nonce": None, "attempts": [], "state": "queued"}
        )
        is_waiting = row["state"] in ("queued", "paused")
        is_refused = row["state"] == "signing" and record["state"] in ("signing", "sign_rejected")
        if row["nonce"] is None and (is_waiting or is_refused):
            row.update(state=record["state"], reason=record["reason"])
            self.history.append((record["tx_id"], record["state"], record["reason"]))

    def _write_tx_state(self, record: Row) -> None:
        row = self.transactions[record["tx_id"]]
        if row["state"] in ENDED and row["state"] != record["state"]:
            return
        row.update({key: value for key, value in record.items() if key != "op"})
        self.history.append((record["tx_id"], record["state"], record.get("reason")))

    def _write_contract(self, record: Row) -> None:
        self.contracts[record["name"]] = {key: value for key, value in record.items() if key != "op"}

    def _write_dead_letter(self, record: Row) -> None:
        self.dead_letters.append(record)

    def _write_rotation(self, record: Row) -> None:
        row = self.rotations[record["operation_id"]]
        same = [
            r
            for r in self.rotations.values()
            if (r["name"], r["from_epoch"]) == (row["name"], row["from_epoch"]) and r is not row
        ]
        if record["is_switched"] and any(other["switched_at"] for other in same):
            raise Conflict("switched before", code="signer.rotation_under_way")
        row.update(phase=record["phase"], detail=record["detail"])
        row["switched_at"] = row["switched_at"] or ("now" if record["is_switched"] else None)
        row["ended_at"] = row["ended_at"] or ("now" if record["is_ended"] else None)
        row["phases"].append(record["phase"])

    def _write_monitoring(self, record: Row) -> None:
        self.monitoring = record

    def append(self, body: Row) -> None:
        self.require_epoch(body["epoch"])
        if body["prev_seq"] != len(self.events):
            raise Conflict("not the head", code="stream.conflict", head=len(self.events))
        known = {event["event_id"] for event in self.events}
        items = [ChainItem.model_validate(item).model_dump() for item in body["items"]]
        assert [item["seq"] for item in items] == list(range(body["prev_seq"] + 1, body["prev_seq"] + 1 + len(items)))
        if known & {item["event_id"] for item in items}:
            raise Conflict("an event_id is in the stream already", code="stream.duplicate_event")
        self.events += items
        self.checkpoint = body["checkpoint"]
        for item in items:
            if item["type"].startswith("operation."):
                payload = item["payload"]
                state = "final" if item["type"] == "operation.final" else "failed"
                self._write_operation({"op": "operation", "state": state, **payload})

    def view(self, operation_id: str) -> Row:
        if operation_id not in self.operations:
            raise NotFound("operation")
        sent = [
            row
            for row in self.transactions.values()
            if row["operation_id"] == operation_id and row["nonce"] is not None
        ]
        return {**self.operations[operation_id], "transactions": sent}

    def of_type(self, *types: str) -> list[Row]:
        """Events of these types, in order."""
        return [event for event in self.events if event["type"] in types]


def make_app(state: JournalState, keys: ServiceKeys) -> FastAPI:
    """The routes."""
    import json  # only here

    app = FastAPI(dependencies=[Depends(require_service("chain")), Depends(_present)])
    app.state.journal = state
    app.state.service_verifier = ServiceVerifier("api", json.loads(keys.public_json))
    install_problem_handlers(app)

    @app.post("/internal/leases/{resource}")
    async def lease(resource: str, body: Row) -> Row:  # pyright: ignore[reportUnusedFunction]  # a route
        if state.holder not in ("", body["holder"]):
            state.waiting = body["holder"]
            raise Conflict("held", code="lease.held", retry_after_s=1)
        if state.holder == "":
            state.epoch, state.holder = state.epoch + 1, body["holder"]
        return {"resource": resource, "epoch": state.epoch, "expires_at": ""}

    @app.delete("/internal/leases/{resource}")
    async def release(resource: str, epoch: int) -> None:  # pyright: ignore[reportUnusedFunction]  # a route
        if epoch == state.epoch:
            state.holder = ""

    @app.post("/internal/chain/journal")
    def journal(body: Row) -> Row:  # pyright: ignore[reportUnusedFunction]  # a route
        state.require_epoch(body["epoch"])
        for record in body["records"]:
            state.write(record)
        for record in body["records"]:
            if record["op"] == "signed" and state.on_signed:
                state.on_signed(record)
        return {"records": len(body["records"])}

    @app.post("/internal/chain/events")
    def events(body: Row) -> Row:  # pyright: ignore[reportUnusedFunction]  # a route
        state.append(body)
        if body["items"] and state.lose_next_append_answer:
            state.lose_next_append_answer = False
            raise DependencyUnavailable("the answer is lost")
        return {"head": len(state.events)}

    @app.get("/internal/chain/operations")
    async def open_operations() -> Row:  # pyright: ignore[reportUnusedFunction]  # a route
        rows = [state.view(key) for key, row in state.operations.items() if row["state"] in ("queued", "running")]
        return {"operations": rows}

    @app.get("/internal/chain/operations/{operation_id}")
    async def operation(operation_id: str) -> Row:  # pyright: ignore[reportUnusedFunction]  # a route
        return state.view(operation_id)

    @app.get("/internal/chain/contracts")
    async def contracts() -> Row:  # pyright: ignore[reportUnusedFunction]  # a route
        return {"contracts": list(state.contracts.values())}

    @app.get("/internal/chain/streams/{chain_id}")
    async def stream(chain_id: int) -> Row:  # pyright: ignore[reportUnusedFunction]  # a route
        return {"seq": len(state.events), **state.checkpoint}

    @app.get("/internal/chain/nonces")
    async def nonces() -> dict[str, int]:  # pyright: ignore[reportUnusedFunction]  # a route
        highest: dict[str, int] = {}
        for row in state.transactions.values():
            for attempt in row["attempts"]:
                highest[row["from_address"]] = max(attempt["nonce"], highest.get(row["from_address"], -1))
        for job in state.sign_jobs.values():
            if job["state"] == "open":
                highest[job["from_address"]] = max(job["nonce"], highest.get(job["from_address"], -1))
        return highest

    @app.get("/internal/chain/sign-jobs")
    async def sign_jobs() -> Row:  # pyright: ignore[reportUnusedFunction]  # a route
        return state.unsigned()

    @app.post("/internal/chain/intents")
    def intents(body: Row) -> Row:  # pyright: ignore[reportUnusedFunction]  # a route
        for operation_id, row in state.operations.items():
            if row.get("idempotency_key") == body["idempotency_key"]:
                if row["params"] != body["params"]:
                    raise Conflict("another request had this key", code="transaction.key_reused")
                return {"operation_id": operation_id, "is_new": False}
        operation_id = body["operation_id"]
        state.operations[operation_id] = {
            **body,
            "kind": "transaction.send",
            "state": "queued",
            "business_ref": "intent",
            "result": None,
        }
        state.write({"op": "intent", "tx_id": f"{operation_id}:send", "operation_id": operation_id, "step": "send", "state": "queued", "reason": None,
                     **{name: body[name] for name in ("from_address", "to_address", "key_ref")}})  # fmt: skip
        return {"operation_id": operation_id, "is_new": True}

    @app.get("/internal/chain/transactions/{tx_id}")
    def transaction(tx_id: str) -> Row:  # pyright: ignore[reportUnusedFunction]  # a route
        if tx_id not in state.transactions:
            raise NotFound("transaction")
        return {**state.transactions[tx_id], "history": [entry for entry in state.history if entry[0] == tx_id]}

    @app.get("/internal/chain/transactions")
    def transactions(limit: int = 50) -> Row:  # pyright: ignore[reportUnusedFunction]  # a route
        return {"data": list(state.transactions.values())[-limit:], "next_cursor": None}

    @app.get("/internal/chain/rotations")
    def rotations() -> Row:  # pyright: ignore[reportUnusedFunction]  # a route
        return {"rotations": list(state.rotations.values())[::-1]}

    @app.post("/internal/chain/rotations")
    def request_rotation(body: Row) -> Row:  # pyright: ignore[reportUnusedFunction]  # a route
        if any(row["name"] == body["name"] and not row["ended_at"] for row in state.rotations.values()):
            raise Conflict("under way", code="signer.rotation_under_way")
        params = {
            name: body[name]
            for name in ("name", "old_key", "new_key", "old_address", "new_address", "from_epoch", "not_after", "force")
        }
        operation_id = state.request("signer.rotate", params)
        state.rotations[operation_id] = {**params, "operation_id": operation_id, "idempotency_key": body["idempotency_key"], "phase": "requested",
                                         "detail": "", "requested_at": "now", "switched_at": None, "ended_at": None, "phases": []}  # fmt: skip
        return {"operation_id": operation_id, "is_new": True}

    @app.get("/internal/chain/policy")
    async def policy() -> Row:  # pyright: ignore[reportUnusedFunction]  # a route
        return {"rules": state.policies, "used": []}

    @app.get("/internal/streams/{name}")
    async def replay(name: str, after: int, limit: int = 1000) -> Row:  # pyright: ignore[reportUnusedFunction]  # a route
        return {"stream": name, "epoch": state.epoch, "head": len(state.events), "items": state.events[after : after + limit]}  # fmt: skip

    return app


def _present(request: Request) -> None:
    state: JournalState = request.app.state.journal
    if state.away:
        raise DependencyUnavailable("away on purpose")


class JournalServer:
    """The stand-in on a thread of its own."""

    def __init__(self, keys: ServiceKeys, port: int) -> None:
        self.state = JournalState()
        self.url = f"http://127.0.0.1:{port}"
        config = uvicorn.Config(make_app(self.state, keys), host="127.0.0.1", port=port, log_level="error")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(10)
