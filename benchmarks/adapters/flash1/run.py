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
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.machine import circumstances

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
SCENARIOS = ("static", "normal", "swing-25", "swing-40", "flash-crash")
TARGET = 4.5


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
    return {name: {s: median(values) for s, values in by_scenario.items()} for name, by_scenario in seen.items()}


def show(name: str, rates: dict[str, float]) -> None:
    columns = "  ".join(f"{s} {rates[s]:6.2f}" for s in SCENARIOS)
    print(f"{name:<22} {columns}  worst {min(rates.values()):6.2f} M msg/s")


def main() -> int:
    parser = argparse.ArgumentParser(description="Run flash1's benchmark on matcher_core.")
    parser.add_argument("--checkout", type=Path, required=True)
    parser.add_argument(
        "--rival", type=Path, help="another engine's adapter, by default cpptrader_adapter.so of the checkout"
    )
    parser.add_argument("--clib", type=Path, default=ROOT / "build" / "clib", help="what `make clib` built")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("--cflags", default="", help="more flags for the adapter, such as -march=native")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", type=int, nargs=2, default=(0, 1), help="the matcher's and the drainer's processor")
    parser.add_argument("--speed-only", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    checkout: Path = options.checkout.resolve()
    rival: Path = (options.rival or checkout / "cpptrader_adapter.so").resolve()
    clib, out = options.clib.resolve(), ROOT / "build" / "flash1"
    flags: list[str] = options.cflags.split()
    ours = build_adapter(checkout, clib, out / "matcher_core_adapter.so", cc=options.cc, flags=[*flags, "-DOWN_QUEUE"])
    plain = build_adapter(checkout, clib, out / "matcher_core_default_queue_adapter.so", cc=options.cc, flags=flags)
    result: dict[str, Any] = {**circumstances(), "cores": options.cores, "rounds": options.rounds}
    with tempfile.TemporaryDirectory() as no_programs:
        bench = Bench(checkout, tuple(options.cores), Path(no_programs))
        if not options.speed_only:
            result["correctness"] = checked = correctness(bench, ours)
            print(json.dumps(checked, indent=1))
        engines = {"matcher_core": ours, "matcher_core (default queue)": plain, rival.stem: rival}
        result["speed"] = rates = speed(bench, engines, options.rounds)
    for name, by_scenario in rates.items():
        show(name, by_scenario)
    result["worst_case_ratio"] = ratio = round(min(rates["matcher_core"].values()) / min(rates[rival.stem].values()), 2)
    print(f"worst case against {rival.stem}: {ratio:.2f} x (wanted: {TARGET} x)")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0 if options.speed_only or all_passed(result["correctness"]) else 1


if __name__ == "__main__":
    sys.exit(main())
