"""A JSON-RPC proxy that misbehaves when told to: forwards to the node and then loses the answer, or does not forward at all."""

import json
import threading
import urllib.request
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Faults:
    """lose_answers: answers to requests of this method still to be lost after forwarding. refuse: forward nothing, answer 502."""

    lose_answers: dict[str, int] = field(default_factory=dict[str, int])
    refuse: bool = False
    seen: list[str] = field(default_factory=list[str])

    def loses(self, methods: list[str]) -> bool:
        for method in methods:
            if self.lose_answers.get(method, 0) > 0:
                self.lose_answers[method] -= 1
                return True
        return False


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


def _handler(target: str, faults: Faults) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            batch: list[dict[str, Any]] = json.loads(body)  # the service only ever sends batches
            methods = [str(entry["method"]) for entry in batch]
            faults.seen.extend(methods)
            if faults.refuse:
                self.send_error(502)
                return
            request = urllib.request.Request(target, body, {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=30) as answer:
                content = answer.read()
            if faults.loses(methods):
                self.close_connection = True  # the node has acted; its answer never arrives
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler
