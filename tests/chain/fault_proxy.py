"""A JSON-RPC proxy that misbehaves when told to: between the service and one node, it loses, delays, repeats, refuses, lags and lies about errors."""

import json
import threading
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from eth_account import Account

from tokenx_chain.transactions.codec import unsigned_of

Action = Literal["pass", "lose", "drop", "delay", "twice", "429", "502"]
"""lose: forward, then close without an answer. drop: close without forwarding. delay: forward and answer too late. twice: forward two times."""
Entry = dict[str, Any]
_SEND = "eth_sendRawTransaction"


@dataclass
class Faults:
    """lose_answers: answers to requests of this method still to be lost after forwarding. refuse: forward nothing, answer 502.

    plan: decides about each batch by its methods. rewrite: error texts of another client, by part of the node's own. lag: blocks this endpoint is behind.
    min_bump_percent: refuse replacements that raise either fee by less. floor_wei: refuse a lower max fee. future_nonces: 'lost' takes them, answers
    with a hash and forgets them, as a relay without a pool does. seen: methods in order. sent: raw transactions that were forwarded."""

    lose_answers: dict[str, int] = field(default_factory=dict[str, int])
    refuse: bool = False
    plan: Callable[[list[str]], Action] | None = None
    delay_s: float = 1.0
    rewrite: dict[str, str] = field(default_factory=dict[str, str])
    lag: int = 0
    min_bump_percent: int = 0
    floor_wei: int = 0
    future_nonces: Literal["kept", "lost"] = "kept"
    seen: list[str] = field(default_factory=list[str])
    sent: list[str] = field(default_factory=list[str])
    held: dict[tuple[str, int], tuple[int, int, str]] = field(
        default_factory=dict[tuple[str, int], tuple[int, int, str]]
    )

    def loses(self, methods: list[str]) -> bool:
        for method in methods:
            if self.lose_answers.get(method, 0) > 0:
                self.lose_answers[method] -= 1
                return True
        return False

    def clear(self) -> None:
        """Be a good proxy again."""
        fresh = Faults()
        for name, value in vars(fresh).items():
            setattr(self, name, value)


class FaultProxy:
    """Listens on a port of its own in front of one node."""

    def __init__(self, target: str, port: int) -> None:
        self.faults = Faults()
        self.url = f"http://127.0.0.1:{port}"
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(target, self.faults))
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Node:
    """The node behind the proxy, with the proxy's lies about it."""

    def __init__(self, target: str, faults: Faults) -> None:
        self._target = target
        self._faults = faults
        self._gate = threading.Lock()

    def answer(self, batch: list[Entry]) -> list[Entry]:
        """Answers in the order of the requests, as this endpoint gives them."""
        refused = {entry["id"]: message for entry in batch if (message := self._refusal(entry))}
        lost = {entry["id"] for entry in batch if entry["id"] not in refused and self._is_lost(entry)}
        forwarded = [self._lagging(entry) for entry in batch if entry["id"] not in refused and entry["id"] not in lost]
        self._faults.sent += [entry["params"][0] for entry in forwarded if entry["method"] == _SEND]
        told = {entry["id"]: entry for entry in self.ask(forwarded)} if forwarded else {}
        answers = [self._one(entry, refused, told) for entry in batch]
        return self._hide_new(batch, answers) if self._faults.lag else answers

    def ask(self, batch: list[Entry]) -> list[Entry]:
        request = urllib.request.Request(self._target, json.dumps(batch).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def _one(self, entry: Entry, refused: dict[int, str], told: dict[int, Entry]) -> Entry:
        number = entry["id"]
        if number in refused:
            return {"jsonrpc": "2.0", "id": number, "error": {"code": -32000, "message": refused[number]}}
        if number not in told:
            return {"jsonrpc": "2.0", "id": number, "result": "0x" + "00" * 32}
        answer = told[number]
        for part, text in self._faults.rewrite.items():
            if part in answer.get("error", {}).get("message", ""):
                answer["error"]["message"] = text
        return answer

    def _refusal(self, entry: Entry) -> str | None:
        """What a stricter pool than the node's says against a transaction."""
        faults = self._faults
        if entry["method"] != _SEND or not (faults.min_bump_percent or faults.floor_wei):
            return None
        raw = entry["params"][0]
        fields = unsigned_of(bytes.fromhex(raw[2:]))
        if fields.max_fee < faults.floor_wei:
            return "max fee per gas less than block base fee"
        key = (Account.recover_transaction(raw), fields.nonce)
        with self._gate:
            held = faults.held.get(key)
            if held and held[2] != raw and faults.min_bump_percent:
                least = [number + number * faults.min_bump_percent // 100 for number in held[:2]]
                if fields.max_fee < least[0] or fields.max_tip < least[1]:
                    return "replacement transaction underpriced"
            faults.held[key] = (fields.max_fee, fields.max_tip, raw)
        return None

    def _is_lost(self, entry: Entry) -> bool:
        if self._faults.future_nonces == "kept" or entry["method"] != _SEND:
            return False
        raw = entry["params"][0]
        sender = Account.recover_transaction(raw)
        request = {"jsonrpc": "2.0", "id": 1, "method": "eth_getTransactionCount", "params": [sender, "latest"]}
        mined = int(self.ask([request])[0]["result"], 16)
        return unsigned_of(bytes.fromhex(raw[2:])).nonce > mined

    def _head(self) -> int:
        answer = self.ask([{"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}])
        return max(0, int(answer[0]["result"], 16) - self._faults.lag)

    def _lagging(self, entry: Entry) -> Entry:
        if not self._faults.lag:
            return entry
        head = hex(self._head())
        return {**entry, "params": [head if value == "latest" else value for value in entry["params"]]}

    def _hide_new(self, batch: list[Entry], answers: list[Entry]) -> list[Entry]:
        """What lies above this endpoint's head does not exist for it."""
        head = self._head()
        for entry, answer in zip(batch, answers, strict=True):
            result: Any = answer.get("result")
            number = result.get("blockNumber", result.get("number")) if isinstance(result, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType, reportUnknownArgumentType]  # JSON
            if number is not None and entry["method"] != _SEND and int(str(number), 16) > head:  # pyright: ignore[reportUnknownArgumentType]  # JSON
                answer["result"] = None
        return answers


def _handler(target: str, faults: Faults) -> type[BaseHTTPRequestHandler]:
    node = _Node(target, faults)
    pause = threading.Event()  # never set: waiting on it is sleeping that a test run's end does not have to wait for

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            batch: list[Entry] = json.loads(body)  # the service only ever sends batches
            methods = [str(entry["method"]) for entry in batch]
            faults.seen.extend(methods)
            action: Action = "502" if faults.refuse else faults.plan(methods) if faults.plan else "pass"
            if action in ("429", "502"):
                self._refuse(int(action))
                return
            if action == "drop":
                self.close_connection = True
                return
            answers = node.answer(batch)
            if action == "twice":
                node.answer(batch)
            if action == "delay":
                pause.wait(faults.delay_s)
            if action == "lose" or faults.loses(methods):
                self.close_connection = True  # the node has acted; its answer never arrives
                return
            self._reply(json.dumps(answers).encode())

        def _refuse(self, status: int) -> None:
            try:
                self.send_error(status)
            except ConnectionError:
                self.close_connection = True

        def _reply(self, content: bytes) -> None:
            try:
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except ConnectionError:
                self.close_connection = True  # whoever asked has given up waiting

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
