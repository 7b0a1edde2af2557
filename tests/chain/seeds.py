"""Random tests print their seed; TOKENX_SEED repeats a run, TOKENX_LONG_TESTS=1 runs far longer."""

import os
import secrets

LONG_RUN = os.environ.get("TOKENX_LONG_TESTS") == "1"


def a_seed() -> int:
    """TOKENX_SEED, or a new one. Printed, so that a failure can be repeated."""
    seed = int(os.environ.get("TOKENX_SEED") or secrets.randbits(32))
    print(f"seed: TOKENX_SEED={seed}")
    return seed
