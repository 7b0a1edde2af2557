"""`python -m matcher_core`: see matcher_core/cli."""

import sys

from matcher_core.cli import main

if __name__ == "__main__":
    sys.exit(main())
