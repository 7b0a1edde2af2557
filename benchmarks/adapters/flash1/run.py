"""Runs our book in flash1's matching-engine benchmark, beside another engine: hashes, conformance gate, state audit, speed.

    make clib
    python -m benchmarks.adapters.flash1.run --checkout DIR [--rival DIR/cpptrader_adapter.so] [--rounds 5] [--json FILE]

DIR is a checkout of flash1-dev/matching-engine-benchmark that has been built by its own instructions: ./harness, the rival's adapter, and
for gate and audit the adapters these compare with. Nothing of it is built or copied here; only our own adapter is compiled, against its
header. The harness asks a cloud's metadata address and dmidecode what machine it is on; it runs here without curl and dmidecode in reach.
Exit status 1 when a hash, the gate or an audit fails.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.machine import circumstances

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
SCENARIOS = ("static", "normal", "swing-25", "swing-40", "flash-crash")
TARGET = 4.5
OURS = "matcher_core"
PAGE = ROOT / "docs" / "benchmarks" / "flash1.md"
RESULT = re.compile("(<!-- result: [^\n]*-->\n).*(<!-- end of result -->)", re.DOTALL)


class Bench(NamedTuple):
    """`checkout` is where the harness and its files are; `cores` are the matcher's and the drainer's; `path` holds no program."""

    checkout: Path
    cores: tuple[int, int]
    path: Path

    def harness(self, engine: Path, scenario: str, mode: str = "perf") -> str:
        words = ["--engine", str(engine), "--scenario", scenario, "--mode", mode,
                 "--matcher-core", str(self.cores[0]), "--drainer-core", str(self.cores[1])]  # fmt: skip
        return self.run(["./harness", *words])

    def run(self, command: list[str]) -> str:
        """What it printed. Failures show in the text, so the status is not looked at."""
        done = subprocess.run(
            command, cwd=self.checkout, env={"PATH": str(self.path)}, capture_output=True, text=True, check=False
        )
        return done.stdout + done.stderr


def build_adapter(checkout: Path, clib: Path, out: Path, *, cc: str, flags: list[str]) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    include = [f"-I{clib / 'include'}", f"-I{checkout / 'api'}"]
    sources = [str(HERE / "adapter.c"), str(clib / "libmatcher_core.a")]
    shared = ["-std=gnu11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra"]
    subprocess.run([cc, *shared, *flags, *include, *sources, "-o", str(out)], check=True)
    return out


def correctness(bench: Bench, engine: Path) -> dict[str, Any]:
    """Five hashes, the gate's verdict and cases, five audits; each "PASS" or what was said instead."""
    hashes = {s: found(r"Status: (.+)", bench.harness(engine, s)) for s in SCENARIOS}
    audits = {s: found(r"State audit: (\w+)", bench.harness(engine, s, "audit")) for s in SCENARIOS}
    gate = bench.run([sys.executable, "scripts/conformance_check.py", str(engine)])
    cases = re.findall(r"report=(\w+)\s+state=(\S+)", gate)
    passed = sum(report == "PASS" and state in ("PASS", "-") for report, state in cases)
    return {
        "hashes": hashes,
        "audits": audits,
        "gate": f"{passed}/{len(cases)}",
        "verdict": found(r"VERDICT: (.+)", gate),
    }


def all_passed(result: dict[str, Any]) -> bool:
    said = [*result["hashes"].values(), *result["audits"].values()]
    passed, _, cases = result["gate"].partition("/")
    return set(said) == {"PASS"} and passed == cases != "0" and ": CONFORMANT" in result["verdict"]


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    return match.group(1).strip() if match else f"nothing said; last line: {text.strip().splitlines()[-1:]}"


def speed(bench: Bench, engines: dict[str, Path], rounds: int) -> dict[str, dict[str, float]]:
    """Million messages a second, medians over the rounds; in each round every engine runs every scenario, one after the other."""
    seen: dict[str, dict[str, list[float]]] = {name: {s: [] for s in SCENARIOS} for name in engines}
    for _ in range(rounds):
        for scenario in SCENARIOS:
            for name, engine in engines.items():
                said = bench.harness(engine, scenario)
                assert "Verdict: VALID" in said, f"{name}, {scenario}: {said}"
                seen[name][scenario].append(float(found(r"Throughput:\s+([0-9.]+)", said)))
    return medians(seen)


def build_cpu_driver(checkout: Path, out: Path, cc: str) -> Path:
    flags = ["-std=gnu11", "-O2", "-Wall", "-Wextra", f"-I{checkout / 'api'}"]
    subprocess.run([cc, *flags, str(HERE / "cpu.c"), "-o", str(out), "-ldl"], check=True)
    return out


def cpu_time(bench: Bench, driver: Path, engines: dict[str, Path], rounds: int) -> dict[str, dict[str, float]]:
    """CPU nanoseconds a message with the reports thrown away, medians over interleaved rounds; the workload files are the harness's own."""
    seen: dict[str, dict[str, list[float]]] = {name: {s: [] for s in SCENARIOS} for name in engines}
    for _ in range(rounds):
        for scenario in SCENARIOS:
            workload = bench.checkout / f"orders_{scenario}_s23_n1000000.bin"
            for name, engine in engines.items():
                said = json.loads(bench.run([str(driver), str(engine), str(workload), "1"]))
                seen[name][scenario].append(said["ns_per_message"])
    return medians(seen)


def medians(seen: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, float]]:
    return {name: {s: median(values) for s, values in by_scenario.items()} for name, by_scenario in seen.items()}


def show(name: str, values: dict[str, float], worst: float, unit: str) -> None:
    columns = "  ".join(f"{s} {values[s]:6.2f}" for s in SCENARIOS)
    print(f"{name:<28} {columns}  worst {worst:6.2f} {unit}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Run flash1's benchmark on matcher_core.")
    parser.add_argument("--checkout", type=Path, required=True, help="a built checkout of the benchmark")
    parser.add_argument("--rival", type=Path, help="another engine's adapter (default: the checkout's CppTrader)")
    parser.add_argument("--clib", type=Path, default=ROOT / "build" / "clib", help="what `make clib` built")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--cflags", default="", help="more flags for the adapter, such as -march=native")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", type=int, nargs=2, default=(0, 1), help="the matcher's and the drainer's processor")
    parser.add_argument("--speed-only", action="store_true", help="no hashes, gate and audits")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", action="store_true", help="renew the result in docs/benchmarks/flash1.md")
    return parser.parse_args()


def measure(options: argparse.Namespace, path: Path) -> dict[str, Any]:
    checkout: Path = options.checkout.resolve()
    rival: Path = (options.rival or checkout / "cpptrader_adapter.so").resolve()
    clib, out = options.clib.resolve(), ROOT / "build" / "flash1"
    flags: list[str] = options.cflags.split()
    ours = build_adapter(checkout, clib, out / "matcher_core_adapter.so", cc=options.cc, flags=[*flags, "-DOWN_QUEUE"])
    plain = build_adapter(checkout, clib, out / "matcher_core_default_queue_adapter.so", cc=options.cc, flags=flags)
    driver = build_cpu_driver(checkout, out / "cpu", options.cc)
    bench = Bench(checkout, tuple(options.cores), path)
    engines = {OURS: ours, f"{OURS}, default queue": plain, rival.stem: rival}
    return {
        **circumstances(),
        "cores": options.cores,
        "rounds": options.rounds,
        "rival": rival.stem,
        "correctness": None if options.speed_only else correctness(bench, ours),
        "speed": speed(bench, engines, options.rounds),
        "cpu_ns": cpu_time(bench, driver, {OURS: plain, rival.stem: rival}, options.rounds),
    }


def worst_case_ratio(result: dict[str, Any]) -> float:
    speeds = result["speed"]
    return min(speeds[OURS].values()) / min(speeds[result["rival"]].values())


def print_result(result: dict[str, Any]) -> None:
    print(json.dumps(result["correctness"], indent=1))
    for name, rates in result["speed"].items():
        show(name, rates, min(rates.values()), "M msg/s")
    for name, times in result["cpu_ns"].items():
        show(f"{name}, CPU", times, max(times.values()), "ns/msg, reports thrown away")
    print(f"worst case against {result['rival']}: {worst_case_ratio(result):.2f} x (wanted: {TARGET} x)")


def as_markdown(result: dict[str, Any]) -> str:
    """Two tables and what the checks said."""
    checked = result["correctness"]
    machine = f"{result['processor']} ({result['processors']} processors, load {result['load_average']} before), {result['system']}"
    rounds = f"{result['rounds']} interleaved rounds, medians; build {result['build_id'][:16]}."
    lines = [f"{machine}; {rounds}", ""]
    if checked is not None:
        hashes, audits = (sum(said == "PASS" for said in checked[name].values()) for name in ("hashes", "audits"))
        lines += [
            f"Hashes {hashes} of {len(SCENARIOS)}, state audits {audits} of {len(SCENARIOS)}, gate {checked['gate']}.",
            "",
        ]
    lines += table("million messages a second", result["speed"], min)
    lines += ["", f"Worst case against {result['rival']}: {worst_case_ratio(result):.2f} times.", ""]
    lines += table("CPU ns a message, reports thrown away", result["cpu_ns"], max)
    return "\n".join(lines) + "\n"


def table(head: str, values: dict[str, dict[str, float]], worst: Callable[..., float]) -> list[str]:
    rows = [[name, *(f"{by[s]:.2f}" for s in SCENARIOS), f"{worst(by.values()):.2f}"] for name, by in values.items()]
    lines = [[head, *SCENARIOS, "worst"], ["---"] * (len(SCENARIOS) + 2), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines]


def write_page(result: dict[str, Any]) -> None:
    text = RESULT.sub(lambda found: f"{found[1]}\n{as_markdown(result)}\n{found[2]}", PAGE.read_text())
    PAGE.write_text(text)


def main() -> int:
    options = arguments()
    with tempfile.TemporaryDirectory() as no_programs:
        result = measure(options, Path(no_programs))
    print_result(result)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    if options.write:
        write_page(result)
    return 0 if options.speed_only or all_passed(result["correctness"]) else 1


if __name__ == "__main__":
    sys.exit(main())
