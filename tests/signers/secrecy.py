"""How a secret could be written down, and where to look for it."""

import base64
from pathlib import Path


def forms_of(secret: bytes) -> set[bytes]:
    """How a secret could be written down."""
    found = {
        secret,
        secret.hex().encode(),
        secret.hex().upper().encode(),
        base64.b64encode(secret).rstrip(b"="),
        secret[::-1],
    }
    return found | {
        str(int.from_bytes(secret, "big")).encode(),
        repr(secret).encode(),
        base64.urlsafe_b64encode(secret).rstrip(b"="),
    }


def memory_of(pid: int) -> bytes:
    """All writable memory of a process."""
    parts: list[bytes] = []
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights, *_ = line.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            try:
                memory.seek(start)
                parts.append(memory.read(end - start))
            except OSError:
                continue
    return b"\0".join(parts)
