"""What the parts print: whole lines into a rotating file each, and to whoever watches in the foreground."""

import asyncio
import logging
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final

Watcher = Callable[[str, str], None]
_FILE_BYTES: Final = 5_000_000
_FILES_KEPT: Final = 3
_LONGEST_LINE: Final = 65_536


class Output:
    """One part's output. watcher gets (name, line) for each line."""

    def __init__(self, name: str, folder: Path, watcher: Watcher | None = None) -> None:
        self.path: Final = folder / f"{name}.log"
        self._name = name
        self._file = RotatingFileHandler(
            self.path, maxBytes=_FILE_BYTES, backupCount=_FILES_KEPT, encoding="utf-8", delay=True
        )
        self._watcher = watcher

    def write(self, line: str) -> None:
        """Keep one line."""
        self._file.emit(logging.makeLogRecord({"msg": line}))
        if self._watcher:
            self._watcher(self._name, line)

    async def drain(self, stream: asyncio.StreamReader) -> None:
        """Keep all lines until the stream ends. An unending line is cut, so that a part can never fill our memory."""
        rest = b""
        while chunk := await stream.read(_LONGEST_LINE):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                self.write(line.decode(errors="replace"))
            if len(rest) >= _LONGEST_LINE:
                self.write(rest.decode(errors="replace"))
                rest = b""
        if rest:
            self.write(rest.decode(errors="replace"))

    def tail(self, lines: int) -> list[str]:
        """The last lines."""
        if not self.path.exists():
            return []
        return self.path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]

    def close(self) -> None:
        self._file.close()
