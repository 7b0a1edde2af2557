"""A stand-in for a service: answers /health/ready, can be told to end at once, to ignore SIGTERM, or to start a child of its own."""

import json
import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"status": os.environ.get("STATUS", "ok"), "dependencies": {}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


if os.environ.get("BROKEN") or os.path.exists(os.environ.get("BROKEN_BY_FILE", "")):
    sys.exit("this stand-in is broken on purpose")
if os.environ.get("DEAF"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.environ.get("CHILD"):
    child = subprocess.Popen(["sleep", "600"])
    print(f"child {child.pid}", flush=True)
print(f"{os.environ['NAME']} listens", flush=True)
HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
