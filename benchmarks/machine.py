"""What a result file says about where and from what it was measured."""

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from matcher_core import BUILD_ID


def circumstances() -> dict[str, Any]:
    """Processor, system, versions, build and commit, and how busy the machine was when it began."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    return {
        "build_id": BUILD_ID,
        "commit": commit,
        "machine": platform.machine(),
        "processor": processor(),
        "processors": os.cpu_count(),
        "load_average": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "system": platform.platform(),
        "python": platform.python_version(),
        "compiler": platform.python_compiler(),
    }


def processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
