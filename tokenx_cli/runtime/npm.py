"""python -m tokenx_cli.runtime.npm FOLDER WORDS…: run npm in a folder with the Node.js the stack uses."""

import os
import sys
from pathlib import Path

from tokenx_cli.runtime.node import find_node
from tokenx_cli.runtime.paths import project_root


def main(folder: str, *words: str) -> None:
    """Become npm. Ends with one plain line when there is no recent Node.js."""
    try:
        found = find_node()
    except FileNotFoundError as error:
        sys.exit(str(error))
    os.chdir(project_root() / Path(folder))
    os.execvpe(found.npm[0], [*found.npm, *words], {**os.environ, **found.environment()})  # noqa: S606  our own npm, on purpose


if __name__ == "__main__":
    main(*sys.argv[1:])
