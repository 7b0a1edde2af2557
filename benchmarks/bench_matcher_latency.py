"""Command to execution through Redis, against the real matcher process, next to a bare echo over the same server.

    python -m benchmarks.bench_matcher_latency [--rates 500 2000] [--seconds 5] [--rounds 3] [--json FILE]

Open loop: a command is due at its scheduled time whether or not earlier ones were answered, and its latency counts from that time. The
echo is the floor: the same generator, client library and server, with a process that sends back what it hears. Rounds of echo and matcher
alternate, so both see the same disturbances of a shared machine; the ratio is what to compare between machines. `inside` is the matcher's own
histogram, from a command in hand to its executions taken by Redis: what the service adds, without the generator on the same cores."""

import argparse
import asyncio
import json
import os
import platform
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import redis

from matcher_core import BUILD_ID
from tests.matcher.commandlog import CommandLog, add_random
from tests.matcher.standin import MatcherApi, matcher_process
from tests.support.servers import ServiceKeys, ValkeyServer, valkey_server
from tokenx_common.bus import Bus
from tokenx_common.events import Announcement
from tokenx_common.stream import Item

OFFERING = "off_bench"
ECHO_IN, ECHO_OUT = "chain:echo", "alerts:echo"
SEED = 20261122
WARM_S = 1.0
SETTLE_S = 1.0


def text_of(item: Item) -> str:
    """One command as the api announces it."""
    stream = f"cmd:{OFFERING}"
    return Announcement(
        stream=stream, epoch=1, prev_seq=item["seq"] - 1, seq=item["seq"], items=[item]
    ).model_dump_json()


class Probe:
    """Sends prepared texts on a schedule and notes when each was first answered. One thread sends, one receives."""

    def __init__(self, url: str, send_on: str, hear_on: str) -> None:
        self._sender = redis.Redis.from_url(url)
        self._pubsub = redis.Redis.from_url(url).pubsub(ignore_subscribe_messages=True)
        self._pubsub.subscribe(hear_on)
        self._send_on = send_on
        self._answered: dict[int, int] = {}
        self._stop = threading.Event()

    def run(self, items: list[Item], rate: int) -> list[int]:
        """Latencies in nanoseconds of all but the warm-up, ascending. Raises TimeoutError when an answer never comes."""
        texts = [text_of(item) for item in items]
        receiver = threading.Thread(target=self._receive)
        receiver.start()
        due = self._send(texts, rate)
        wanted = items[-1]["seq"]
        deadline = time.monotonic() + 20
        while wanted not in self._answered and time.monotonic() < deadline:
            time.sleep(0.01)
        self._stop.set()
        receiver.join()
        missing = [item["seq"] for item in items if item["seq"] not in self._answered]
        if missing:
            raise TimeoutError(f"{len(missing)} of {len(items)} commands were not answered")
        warm = int(rate * WARM_S)
        pairs = list(zip(items, due, strict=True))[warm:]
        return sorted(self._answered[item["seq"]] - at for item, at in pairs)

    def _send(self, texts: list[str], rate: int) -> list[int]:
        due: list[int] = []
        start = time.perf_counter_ns() + 50_000_000
        for number, text in enumerate(texts):
            at = start + number * 1_000_000_000 // rate
            while (rest := at - time.perf_counter_ns()) > 0:
                time.sleep(rest / 1e9 if rest > 100_000 else 0)
            self._sender.publish(self._send_on, text)
            due.append(at)
        return due

    def _receive(self) -> None:
        while not self._stop.is_set():
            message = self._pubsub.get_message(timeout=0.2)
            if message is None:
                continue
            now = time.perf_counter_ns()
            for item in json.loads(message["data"])["items"]:
                self._answered.setdefault(item.get("cmd_seq", item["seq"]), now)


async def echo(url: str) -> None:
    """The baseline process: sends back what it hears, with the service's own client."""
    bus = Bus(url)
    async for message in bus.subscribe(["chain:*"]):
        if message is None:
            sys.stdout.write("ready\n")
            sys.stdout.flush()
        else:
            await bus.publish(ECHO_OUT, message[1])


@contextmanager
def echo_process(url: str) -> Any:
    command = [sys.executable, "-m", "benchmarks.bench_matcher_latency", "--echo", url]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def summary(latencies: list[int]) -> dict[str, int]:
    """Microseconds."""
    last = len(latencies) - 1
    points = {"p50": 0.5, "p99": 0.99, "p999": 0.999}
    found = {name: latencies[min(last, int(len(latencies) * part))] // 1000 for name, part in points.items()}
    return found | {"max": latencies[-1] // 1000, "count": len(latencies)}


async def measure(server: ValkeyServer, rate: int, seconds: float, rounds: int) -> dict[str, Any]:
    """One rate: alternate rounds of echo and matcher; percentiles over all rounds together."""
    keys, rng, log, entered = ServiceKeys(), random.Random(SEED), CommandLog(), list[tuple[int, int]]()
    api = MatcherApi(keys, server.url("api"))
    api.logs[OFFERING], api.executions[OFFERING] = log, []
    echoes: list[int] = []
    matched: list[int] = []
    cpu_s = 0.0
    per_round = int(rate * (seconds + WARM_S))
    with tempfile.TemporaryDirectory() as folder:
        settings = {"SNAPSHOT_EVERY_S": "60", "SNAPSHOT_EVERY_COMMANDS": "20000", "LOG_LEVEL": "warning"}
        async with api.serving(), matcher_process(api, keys, server, Path(folder), **settings) as matcher:
            with echo_process(server.url("matcher")):
                await asyncio.sleep(SETTLE_S)
                for _ in range(rounds):
                    prepared = [{"seq": seq, "body": "x" * 200, "hash": "0" * 64} for seq in range(1, per_round + 1)]
                    echoes += await asyncio.to_thread(Probe(server.url("api"), ECHO_IN, ECHO_OUT).run, prepared, rate)
                    before = log.head
                    items = commands(rng, log, entered, per_round, before)
                    probe = Probe(server.url("api"), f"cmd:{OFFERING}", f"ev:{OFFERING}")
                    cpu_s -= cpu_time_s(matcher.process.pid)
                    matched += await asyncio.to_thread(probe.run, items, rate)
                    cpu_s += cpu_time_s(matcher.process.pid)
                inside = await inside_us(f"http://127.0.0.1:{matcher.spec.port}")
    await api.bus.close()
    return {"rate": rate, "inside_us": inside, "echo_us": summary(sorted(echoes)), "matcher_us": summary(sorted(matched)),
            "matcher_cpu_us_per_command": round(cpu_s * 1e6 / log.head)}  # fmt: skip


async def inside_us(matcher_url: str) -> dict[str, int | None]:
    """From a command in hand to its executions taken by Redis, as the matcher itself counts: the upper bounds of the histogram's buckets,
    None where it is above all of them. Leaves out the generator and its own hop through Redis."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{matcher_url}/metrics")).text
    buckets = re.findall(r'tokenx_matcher_command_to_execution_seconds_bucket\{le="([^"]+)"\} ([0-9.]+)', text)
    total = int(Decimal(buckets[-1][1]))
    return {
        name: _bound(buckets, total * part)
        for name, part in (("p50", Decimal("0.5")), ("p99", Decimal("0.99")), ("p999", Decimal("0.999")))
    }


def _bound(buckets: list[tuple[str, str]], wanted: Decimal) -> int | None:
    bound = next(bound for bound, count in buckets if Decimal(count) >= wanted)
    return None if bound == "+Inf" else int(Decimal(bound) * 1_000_000)


def cpu_time_s(pid: int) -> float:
    """User and system time of a process so far. Unlike latency, hardly disturbed by what else the machine does."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def commands(
    rng: random.Random, log: CommandLog, entered: list[tuple[int, int]], count: int, before: int
) -> list[Item]:
    """The next commands of the log. They stand in the stand-in's log at once; the matcher learns of them as they are announced,
    because nothing beats for this stream."""
    while log.head < before + count:
        add_random(rng, log, entered)
    return log.items[before:]


def machine() -> dict[str, Any]:
    """Where this was measured."""
    model = next((line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.processor())  # fmt: skip
    return {"cpu": model, "cores": os.cpu_count(), "load": os.getloadavg()[0], "python": platform.python_version(),
            "system": platform.platform(), "build_id": BUILD_ID, "seed": SEED}  # fmt: skip


def report(results: list[dict[str, Any]], where: dict[str, Any]) -> None:
    print(
        f"{where['cpu']}, {where['cores']} cores, load {where['load']:.1f}, Python {where['python']}, build {where['build_id'][:12]}"
    )
    print(f"{'cmd/s':>6} {'':>8} {'p50':>8} {'p99':>8} {'p99.9':>8} {'max':>8}   microseconds")
    for row in results:
        for name, key in (("echo", "echo_us"), ("matcher", "matcher_us")):
            found = row[key]
            print(
                f"{row['rate']:>6} {name:>8} {found['p50']:>8} {found['p99']:>8} {found['p999']:>8} {found['max']:>8}"
            )
        bounds = [f"<={row['inside_us'][name]}" if row["inside_us"][name] else "-" for name in ("p50", "p99", "p999")]
        print(f"{row['rate']:>6} {'inside':>8} " + " ".join(f"{bound:>8}" for bound in bounds))
        ratios = {name: row["matcher_us"][name] / max(1, row["echo_us"][name]) for name in ("p50", "p99", "p999")}
        print(f"{row['rate']:>6} {'ratio':>8} " + " ".join(f"{value:>8.2f}" for value in ratios.values()))
        print(
            f"{row['rate']:>6} {'cpu':>8} {row['matcher_cpu_us_per_command']:>8} of the matcher per command, replays and snapshots included"
        )


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rates", type=int, nargs="+", default=[500, 2000])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--echo", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.echo:
        await echo(options.echo)
        return
    with valkey_server() as server:
        results = [await measure(server, rate, options.seconds, options.rounds) for rate in options.rates]
    where = machine()
    report(results, where)
    if options.json:
        options.json.write_text(json.dumps({"machine": where, "results": results}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(main())
