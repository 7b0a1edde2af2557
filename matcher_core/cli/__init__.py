"""`python -m matcher_core replay | bench | top`: the order book from the command line.

Exit status 0 when it was done, 2 with one plain line on standard error when it could not be, 130 after Ctrl-C.
"""

import argparse
import os
import sys
from collections.abc import Callable
from typing import cast

from matcher_core.cli import bench_command, replay_command, top_command
from matcher_core.cli.errors import Refused
from matcher_core.feeds.chunks import BadFile
from matcher_core.feeds.pieces import MissingPackage


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m matcher_core",
        description="The order book from the command line: replay recordings, measure, watch.",
        epilog="example: python -m matcher_core replay 01302019.NASDAQ_ITCH50.gz --symbol AAPL",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="replay|bench|top")
    for command in (replay_command, bench_command, top_command):
        command.add(verbs)
    arguments = parser.parse_args(argv)
    run = cast(Callable[[argparse.Namespace], int], arguments.run)
    try:
        status = run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read our output has seen enough; nothing more can be written, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (BadFile, MissingPackage, Refused) as error:
        return _refuse(str(error))
    except OSError as error:
        return _refuse(f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error))
    return status


def _refuse(says: str) -> int:
    sys.stderr.write(f"matcher_core: {says}\n")
    return 2
