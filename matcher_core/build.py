"""Which sources a compiled book was made from. The benchmarks refuse to measure a book that is not today's source."""

import hashlib
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CORE_SUFFIXES = (".pyx", ".pxd", ".pxi")


def source_id(root: Path = PACKAGE.parent) -> str:
    """sha256 over setup.py and every Cython source below `root`, names included, in hexadecimal.

    Raises FileNotFoundError where the sources are not at hand, as in an installed wheel.
    """
    digest = hashlib.sha256()
    core = sorted(p for p in (root / "matcher_core").iterdir() if p.suffix in CORE_SUFFIXES)
    for path in (root / "setup.py", *core):
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()
