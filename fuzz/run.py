"""python -m fuzz.run --seconds 600: three fifths of the time libFuzzer over mc_process, the rest Python over Book, both with sanitizers.

Ends with status 0 when nothing was found; otherwise with the report on standard error and the input in build/fuzz/findings.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from clib.build import ROOT
from fuzz.book import CORPUS
from fuzz.build import extension, preload, process_target

WORK = ROOT / "build" / "fuzz"
LENGTH_MAX = 4096


def fuzz_process(target: Path, seconds: int) -> int:
    """libFuzzer in one process. New inputs go to build/fuzz/corpus and are used by the next run as well."""
    found, own = WORK / "findings", WORK / "corpus"
    for folder in (found, own):
        folder.mkdir(exist_ok=True)
    options = (f"-max_total_time={seconds}", f"-max_len={LENGTH_MAX}", f"-artifact_prefix={found}/", "-print_final_stats=1", "-verbosity=0",
               "-detect_leaks=1", "-timeout=20", "-rss_limit_mb=2048")  # fmt: skip
    return subprocess.run([target, *options, own, CORPUS], check=False).returncode


def fuzz_book(folder: Path, seconds: int) -> int:
    """Python over the extension in `folder`. CPython keeps memory at its end, so leaks are libFuzzer's to find."""
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)]),
        "PYTHONMALLOC": "malloc",
        "LD_PRELOAD": preload(),
        "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    command = [sys.executable, "-P", "-m", "fuzz.book", "--seconds", str(seconds)]
    return subprocess.run(command, cwd=WORK, env=environment, check=False).returncode


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m fuzz.run", description="Fuzz the order book in C and from Python.")
    parser.add_argument("--seconds", type=int, default=600)
    seconds: int = parser.parse_args(argv).seconds
    WORK.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(WORK / "lib", ignore_errors=True)
    status = fuzz_process(process_target(WORK), seconds * 3 // 5)
    return fuzz_book(extension(WORK / "lib"), seconds - seconds * 3 // 5) or status


if __name__ == "__main__":
    sys.exit(main())
