"""Snapshots of engines on disk: a cache that shortens a start. Deleting them loses nothing.

FILE    8s magic, u32 header length, header (canonical JSON), book (matcher_core snapshot), sha256 of everything before it
NAME    <offering_id>-<exec_seq, 20 digits>.snap; written beside it first, fsynced, renamed, folder fsynced
"""

import hashlib
import json
import os
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tokenx_common.canonical import canonical_json
from tokenx_common.log import get_logger
from tokenx_matcher.engine import EngineImage, OfferingEngine, Party

log = get_logger(__name__)

MAGIC: Final = b"TKXMATC1"
KEEP: Final = 3
_LENGTH: Final = struct.Struct("<I")
_DIGEST_SIZE: Final = 32
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


def encode(image: EngineImage) -> bytes:
    """The bytes of a snapshot file."""
    header = canonical_json(
        {
            "offering_id": image.offering_id,
            "cmd_seq": image.cmd_seq,
            "cmd_hash": image.cmd_hash.hex(),
            "exec_seq": image.exec_seq,
            "exec_hash": image.exec_hash.hex(),
            "market_state": image.market_state,
            "parties": [[book_order_id, *party] for book_order_id, party in image.parties.items()],
        }
    ).encode()
    content = MAGIC + _LENGTH.pack(len(header)) + header + image.book
    return content + hashlib.sha256(content).digest()


def decode(data: bytes) -> EngineImage:
    """Read a snapshot file. Raises ValueError for anything `encode` has not written whole."""
    content, digest = data[:-_DIGEST_SIZE], data[-_DIGEST_SIZE:]
    if len(content) < len(MAGIC) + _LENGTH.size or not content.startswith(MAGIC):
        raise ValueError("no snapshot of this version")
    if hashlib.sha256(content).digest() != digest:
        raise ValueError("sha256 does not fit the content")
    start = len(MAGIC) + _LENGTH.size
    (length,) = _LENGTH.unpack_from(content, len(MAGIC))
    header: dict[str, Any] = json.loads(content[start : start + length])
    return EngineImage(
        offering_id=header["offering_id"],
        cmd_seq=header["cmd_seq"],
        cmd_hash=bytes.fromhex(header["cmd_hash"]),
        exec_seq=header["exec_seq"],
        exec_hash=bytes.fromhex(header["exec_hash"]),
        market_state=header["market_state"],
        parties={row[0]: Party(row[1], row[2]) for row in header["parties"]},
        book=content[start + length :],
    )


class SnapshotStore:
    """One folder of snapshots; the newest KEEP of each offering stay."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def save(self, image: EngineImage) -> Path:
        """Write durably, then drop the oldest ones. Raises OSError; nothing that was valid before is harmed then."""
        final = self._folder / f"{_safe(image.offering_id)}-{image.exec_seq:020d}.snap"
        temporary = final.with_suffix(".tmp")
        with temporary.open("wb") as file:
            file.write(encode(image))
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(final)
        self._sync_folder()
        for old in self._files(image.offering_id)[KEEP:]:
            old.unlink()
        return final

    def engines(self, offering_id: str, *, exec_seq: int, cmd_seq: int) -> Iterator[OfferingEngine]:
        """Valid snapshots not beyond these numbers, newest first. A damaged file is passed over with a line in the log."""
        for path in self._files(offering_id):
            try:
                image = decode(path.read_bytes())
                engine = OfferingEngine.restore(image)
            except (ValueError, KeyError, OSError) as error:
                log.warning("snapshot.skipped", file=path.name, reason=str(error))
                continue
            if image.offering_id == offering_id and image.exec_seq <= exec_seq and image.cmd_seq <= cmd_seq:
                yield engine

    def _files(self, offering_id: str) -> list[Path]:
        """Newest first."""
        return sorted(self._folder.glob(f"{_safe(offering_id)}-{'[0-9]' * 20}.snap"), reverse=True)

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _safe(offering_id: str) -> str:
    if not _SAFE_ID.fullmatch(offering_id):
        raise ValueError(f"not an offering id: {offering_id!r}")
    return offering_id
