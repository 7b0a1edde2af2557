"""`python -m matcher_core replay FILE [--json]`: replay an order-flow file, print digests and times.

Exit status 0 when the file was replayed, 2 with one line on standard error when it could not be.
"""

import argparse
import json
import sys
from pathlib import Path

from matcher_core.flow import read_flow
from matcher_core.replay import replay


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m matcher_core", description="The order book from the command line.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    command = verbs.add_parser("replay", help="replay an order-flow file")
    command.add_argument("file", type=Path)
    command.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    command.add_argument("--batch", type=int, default=1024, help="commands per call (default 1024)")
    arguments = parser.parse_args(argv)
    if arguments.batch < 1:
        parser.error(f"--batch must be positive, was {arguments.batch}")
    try:
        flow = read_flow(arguments.file)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"matcher_core: {error}\n")
        return 2
    result = replay(flow, batch=arguments.batch)._asdict()
    if arguments.json:
        sys.stdout.write(json.dumps(result) + "\n")
    else:
        sys.stdout.writelines(f"{name:14} {value}\n" for name, value in result.items())
    return 0


if __name__ == "__main__":
    sys.exit(main())
