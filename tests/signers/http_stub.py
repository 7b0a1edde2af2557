"""A small HTTP server on loopback for stand-ins of key services. Each request gets a thread; faults can be put in its way."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Fault = Literal["drop_before", "drop_after", "429", "500", "garbage"]


@dataclass(frozen=True)
class Request:
    """As it came over the wire. path includes the query; header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class HttpStub:
    """Answers by `answer`. faults: what happens to the next requests of a method, first come first served."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.faults: dict[str, deque[Fault]] = {"GET": deque(), "POST": deque()}
        self.is_away = False
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """For one that was never started."""
        self._server.server_close()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def answer(self, request: Request) -> Reply:
        raise AssertionError("subclasses answer")


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


def _handler(stub: HttpStub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", "0")))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, body)
            fault = stub.faults[self.command].popleft() if stub.faults[self.command] else None
            if stub.is_away or fault == "drop_before":
                return self._drop()
            stub.requests.append(request)
            reply = _FAULTY[fault] if fault in _FAULTY else stub.answer(request)
            return self._drop() if fault == "drop_after" else self._send(reply)

        def _drop(self) -> None:
            self.close_connection = True
            self.connection.close()

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

    return Handler


_FAULTY: dict[str | None, Reply] = {
    "429": Reply(429, b'{"message":"slow down"}', {"retry-after": "0"}),
    "500": Reply(500, b"oops"),
    "garbage": Reply(200, b"<html>"),
}
