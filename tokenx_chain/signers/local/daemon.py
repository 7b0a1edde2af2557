"""signerd: the process that holds the keys. Answers its parent over a Unix socket, signs, and does nothing else.

It has no network, reads no environment, keeps no log of what it signs beyond key name and digest, and ends with its parent."""

import asyncio
import contextlib
import ctypes
import os
import resource
import socket
import stat
import struct
import sys
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from tokenx_chain.signers.curve import require_native_curve
from tokenx_chain.signers.encoding import message_digest, transaction_digest, typed_data_chain, typed_data_digest
from tokenx_chain.signers.errors import SignerConfigError, SignerRefused, UnknownKey
from tokenx_chain.signers.jobs import Signature
from tokenx_chain.signers.local.vault import Vault, open_vault
from tokenx_chain.signers.local.wire import (
    CALLS,
    MAX_CONNECTIONS,
    MAX_LINE_BYTES,
    AddressCall,
    Answer,
    HealthCall,
    MessageCall,
    Opening,
    TransactionCall,
    TypedDataCall,
)
from tokenx_common.log import configure_logging, get_logger

log = get_logger(__name__)

EXIT_CONFIG: Final = 78
_PR_SET_DUMPABLE: Final = 4
_UCRED: Final = struct.Struct("3i")


class Daemon:
    """Serves one parent."""

    def __init__(self, vault: Vault, *, parent_pid: int) -> None:
        self._vault = vault
        self._parent_pid = parent_pid
        self._connections = 0

    async def serve(self, path: Path, until: "asyncio.Future[None]") -> None:
        """Listen until the future is done. The socket is 0600 from its first moment. A parent that was killed cannot tidy up: that is done here."""
        server = await asyncio.start_unix_server(self._talk, sock=listen(path), limit=MAX_LINE_BYTES)
        log.info("signerd.ready", vault=repr(self._vault))
        try:
            await until
        finally:
            server.close()
            tidy(path)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        refusal = self._refusal(writer.get_extra_info("socket"))
        if refusal is not None:
            log.error("signerd.stranger", reason=refusal)
            writer.close()
            return
        self._connections += 1
        # The other side went away, or said more than it may: the connection ends, the daemon does not.
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ValueError):
                while line := await reader.readline():
                    writer.write(self.answer(line).model_dump_json(exclude_none=True).encode() + b"\n")
                    await writer.drain()
        finally:
            self._connections -= 1
            writer.close()

    def _refusal(self, connection: socket.socket) -> str | None:
        """Why a peer is not served. The kernel says who it is, nobody can pretend."""
        pid, uid = peer(connection)
        if uid != os.getuid():
            return f"uid {uid}"
        if pid is not None and pid != self._parent_pid:
            return f"pid {pid} is not the parent"
        if self._connections >= MAX_CONNECTIONS:
            return f"more than {MAX_CONNECTIONS} connections"
        return None

    def answer(self, line: bytes) -> Answer:
        """One call, one answer. Never raises for what a peer may send."""
        try:
            call = CALLS.validate_json(line)
        except (ValidationError, RecursionError):
            return Answer(id=None, error="bad_request", detail="not a call this version knows")
        try:
            return self._do(call)
        except UnknownKey as error:
            return Answer(id=call.id, error="unknown_key", detail=error.detail)
        except SignerRefused as error:
            log.warning("signerd.refused", op=call.op, reason=error.detail)
            return Answer(id=call.id, error="refused", detail=error.detail)

    def _do(self, call: AddressCall | HealthCall | TransactionCall | MessageCall | TypedDataCall) -> Answer:
        """The digest is always computed here: what is asked for is what is signed."""
        match call:
            case HealthCall():
                return Answer(id=call.id, detail=repr(self._vault))
            case AddressCall():
                return Answer(id=call.id, address=self._vault.address(call.key_ref))
            case TransactionCall():
                transaction = call.transaction.transaction()
                return self._signed(call, transaction_digest(transaction), transaction.chain_id)
            case MessageCall():
                return self._signed(call, message_digest(bytes.fromhex(call.message)), None)
            case TypedDataCall():
                digest = typed_data_digest(call.typed_data)
                return self._signed(call, digest, typed_data_chain(call.typed_data))

    def _signed(self, call: TransactionCall | MessageCall | TypedDataCall, digest: bytes, chain_id: int | None) -> Answer:  # fmt: skip
        found: Signature = self._vault.sign(call.key_ref, digest, chain_id=chain_id)
        log.debug("signerd.signed", op=call.op, key_ref=call.key_ref, digest=digest.hex())
        assert found.y_parity in (0, 1)
        return Answer(id=call.id, r=f"{found.r:064x}", s=f"{found.s:064x}", y_parity=1 if found.y_parity else 0)


def listen(path: Path) -> socket.socket:
    """A listening socket that nobody else can open. It gets its name when it listens, so that whoever sees it can connect."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    unnamed = path.with_name(path.name + ".new")
    before = os.umask(0o177)
    try:
        unnamed.unlink(missing_ok=True)
        listener.bind(str(unnamed))
    finally:
        os.umask(before)
    assert stat.S_IMODE(unnamed.stat().st_mode) == 0o600
    listener.listen(MAX_CONNECTIONS)
    unnamed.rename(path)
    return listener


def tidy(path: Path) -> None:
    """Take away the socket and the folder made for it, unless the parent was faster or the folder holds something else."""
    path.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        path.parent.rmdir()


def peer(connection: socket.socket) -> tuple[int | None, int]:
    """(pid, uid) of the other end; pid None where the system does not tell (macOS, which gives the uid by another call)."""
    if hasattr(socket, "SO_PEERCRED"):
        pid, uid, _ = _UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
        return pid, uid
    uid, gid = ctypes.c_uint(), ctypes.c_uint()
    if ctypes.CDLL(None).getpeereid(connection.fileno(), ctypes.byref(uid), ctypes.byref(gid)) != 0:
        raise ConnectionError("getpeereid failed")
    return None, uid.value


def harden() -> None:
    """No core dumps, and on Linux no debugger and no /proc/<pid>/mem for processes of the same user."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux" and ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        raise SignerConfigError("SIGNER_BACKEND: the kernel refuses to make signerd undumpable")


def run(*, only_check: bool = False) -> None:
    """Read the opening line from standard input, serve until standard input ends; or only see whether the keys open.

    Exit status 78 with one line for a bad configuration."""
    try:
        harden()
        require_native_curve()
        opening = Opening.model_validate_json(sys.stdin.buffer.readline(MAX_LINE_BYTES))
        configure_logging("signerd", opening)
        vault = open_vault(opening)
    except ValidationError:
        sys.stderr.write("configuration: SIGNER_BACKEND: signerd is started by the chain service, not by hand\n")
        raise SystemExit(EXIT_CONFIG) from None
    except SignerConfigError as error:
        sys.stderr.write(f"configuration: {error}\n")
        raise SystemExit(EXIT_CONFIG) from None
    if not only_check:
        asyncio.run(_serve(opening, vault))


async def _serve(opening: Opening, vault: Vault) -> None:
    loop = asyncio.get_running_loop()
    parent_gone: asyncio.Future[None] = loop.create_future()

    class UntilEnd(asyncio.Protocol):
        def connection_lost(self, exc: Exception | None) -> None:
            if not parent_gone.done():
                parent_gone.set_result(None)

    pipe: Any = sys.stdin
    await loop.connect_read_pipe(UntilEnd, pipe)
    await Daemon(vault, parent_pid=os.getppid()).serve(Path(opening.socket), parent_gone)
