"""Runs operations: each accepted once, re-run after a restart until its end, closed only when its transactions are final."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import structlog

from tokenx_chain.chain import Chain
from tokenx_chain.journal import Journal, JournaledOperation, JournaledTransaction, Record
from tokenx_chain.listener.publisher import Publisher
from tokenx_chain.networks.rpc import RpcError, RpcUnavailable
from tokenx_chain.operations import intent
from tokenx_chain.operations.catalog import PROGRAMS, parse_params
from tokenx_chain.operations.context import Context
from tokenx_chain.operations.errors import OperationFailed
from tokenx_chain.operations.index import Operation, OperationIndex
from tokenx_chain.registry import PlatformNotDeployed
from tokenx_chain.signers.errors import SignerError
from tokenx_chain.transactions.errors import IntentCancelled, NonceLost
from tokenx_chain.transactions.sender import Senders
from tokenx_chain.transactions.tracker import Tracker
from tokenx_common.clock import rfc3339, utc_now
from tokenx_common.log import get_logger

log = get_logger(__name__)

AT_ONCE: Final = 256
"""Operations that work at the same time, and as many single calls; the others wait in line. What only waits for finality counts no more. Calls of others
have a line of their own, so that the platform's work goes on whatever they wait for."""
RETRY_S: Final = 0.5
CLOSED: Final = frozenset({"final", "failed"})


class Runner:
    """The operations of one chain."""

    def __init__(self, chain: Chain, *, journal: Journal, publisher: Publisher, senders: Senders, tracker: Tracker, index: OperationIndex,
                 tasks: asyncio.TaskGroup) -> None:  # fmt: skip
        self._chain = chain
        self._journal = journal
        self._publisher = publisher
        self._senders = senders
        self._tracker = tracker
        self._index = index
        self._tasks = tasks
        self._running: set[str] = set()
        self._crashed: set[str] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._call_slots = asyncio.Semaphore(AT_ONCE)
        self._open_calls: Counter[str] = Counter()

    @property
    def running(self) -> int:
        """Operations under way or waiting for a slot."""
        return len(self._running)

    def open_calls(self, key_ref: str) -> int:
        """Single calls of a key that have not ended."""
        return self._open_calls[key_ref]

    async def accept(self, operation_id: str, *, rerun: bool = False) -> str:
        """Start an operation the api holds, unless it is under way or closed; returns its state. Raises TokenxError.

        Asking the api first makes a late repeat of a request harmless, also after a restart. rerun: one that crashed is run on from its start;
        its journaled steps are not made again."""
        if operation_id in self._running and not (rerun and operation_id in self._crashed):
            return "running"
        journaled = await self._journal.operation(operation_id)
        if journaled.state in CLOSED:
            return journaled.state
        if operation_id in self._crashed:
            self._crashed.discard(operation_id)
            self._running.discard(operation_id)
        self.start(journaled)
        return "running"

    def start(self, journaled: JournaledOperation) -> None:
        """Run it in the background, unless it runs already. Its journaled transactions are followed from now on."""
        if journaled.operation_id in self._running:
            return
        self._running.add(journaled.operation_id)
        if journaled.kind == intent.KIND:
            self._open_calls[str(journaled.params.get("key_ref"))] += 1
        for entry in journaled.transactions:
            self._tracker.adopt(entry)
        self._tasks.create_task(self._run(journaled), name=f"operation:{journaled.operation_id}")

    async def _run(self, journaled: JournaledOperation) -> None:
        operation = Operation(journaled.operation_id, journaled.kind, journaled.params, journaled.correlation_id)
        structlog.contextvars.bind_contextvars(
            correlation_id=operation.correlation_id, operation_id=operation.operation_id
        )
        ctx = Context(operation, self._chain, journal=self._journal, senders=self._senders, tracker=self._tracker,
                      index=self._index, recorded=journaled.transactions)  # fmt: skip
        try:
            await self._close(operation, ctx, await self._outcome(operation, ctx))
        except Exception as error:  # noqa: BLE001  # a fault of ours in one operation must not stop the others
            await self._set_aside(operation, error)
        else:
            self._running.discard(operation.operation_id)
        finally:
            if operation.kind == intent.KIND:
                self._open_calls[str(operation.params.get("key_ref"))] -= 1

    async def _set_aside(self, operation: Operation, error: Exception) -> None:
        """Leave the operation open for a person to look at: it may have sent something, so calling it failed would be a guess."""
        log.error("operation.crashed", kind=operation.kind, exc_info=error)
        letter = {"op": "dead_letter", "kind": "operation", "ref_id": operation.operation_id, "error": f"{type(error).__name__}: {error}"[:500],
                  "payload": {"kind": operation.kind, "params": operation.params}}  # fmt: skip
        await self._journal.write([letter])
        self._crashed.add(operation.operation_id)

    async def _outcome(self, operation: Operation, ctx: Context) -> dict[str, Any] | OperationFailed:
        """The program's end, once nothing it relied on can change any more. A reorganisation in between runs it again."""
        is_told = False
        while True:
            try:
                async with self._call_slots if operation.kind == intent.KIND else self._slots:
                    if not is_told:
                        await self._journal.write([_state(operation, "running")])
                        is_told = True
                    outcome = await self._attempt(operation, ctx)
                self._senders.promises.release(operation.operation_id)
                if await self._all_final(ctx, expect_ok=not isinstance(outcome, OperationFailed)):
                    return outcome if isinstance(outcome, OperationFailed) else self._with_mined_hashes(ctx, outcome)
            except (RpcUnavailable, RpcError, SignerError) as error:
                # Of a signer: an address or a claim could not be had. Neither is proof of anything, so it is asked again.
                log.warning("operation.paused", kind=operation.kind, reason=str(error))
            await asyncio.sleep(RETRY_S)

    def _with_mined_hashes(self, ctx: Context, result: dict[str, Any]) -> dict[str, Any]:
        """A program names its transactions by the hash they were first sent with; a replacement is mined under another."""
        mined = {entry.tx_hash: self._tracker.mined_hash(entry) for entry in ctx.transactions}
        return {key: _renamed(value, mined) for key, value in result.items()}

    async def _attempt(self, operation: Operation, ctx: Context) -> dict[str, Any] | OperationFailed:
        if operation.kind not in PROGRAMS:
            return OperationFailed("chain.unknown_kind", f"unknown kind {operation.kind}")
        try:
            return await PROGRAMS[operation.kind].run(ctx, parse_params(operation.kind, operation.params))
        except OperationFailed as failure:
            return failure
        except PlatformNotDeployed as error:
            return OperationFailed(error.code, error.detail)
        except SignerError as error:
            if not error.proves_unsigned:
                raise
            return OperationFailed(error.code, error.detail)

    async def _all_final(self, ctx: Context, *, expect_ok: bool) -> bool:
        """Waits for finality of everything sent. False: the final truth differs from what the program saw."""
        ends = await asyncio.gather(*(self._did_it(entry) for entry in ctx.transactions))
        return all(ends) if expect_ok else True

    async def _did_it(self, entry: JournaledTransaction) -> bool:
        """Whether a transaction, now that it is final, did what it was for."""
        try:
            return (await self._tracker.final(entry)).ok
        except (NonceLost, IntentCancelled):
            return False

    async def _close(self, operation: Operation, ctx: Context, outcome: dict[str, Any] | OperationFailed) -> None:
        """Event first, state second: a crash in between repeats the event under its id, which is published once."""
        if isinstance(outcome, OperationFailed):
            payload = {"operation_id": operation.operation_id, "kind": operation.kind, "error_code": outcome.code, "error_detail": outcome.detail}  # fmt: skip
            await self._publisher.publish([_event("operation.failed", operation, payload)])
            unsent = [await self._never_sent(operation, ctx, outcome)] if operation.kind == intent.KIND and not ctx.transactions else []  # fmt: skip
            await self._journal.write(
                [*unsent, _state(operation, "failed", error_code=outcome.code, error_detail=outcome.detail)]
            )
            log.warning("operation.failed", kind=operation.kind, code=outcome.code, detail=outcome.detail)
        else:
            payload = {"operation_id": operation.operation_id, "kind": operation.kind, "result": outcome}
            await self._publisher.publish([_event("operation.final", operation, payload)])
            await self._journal.write([_state(operation, "final", result=outcome)])
            log.info("operation.final", kind=operation.kind, transactions=len(ctx.transactions))
        self._tracker.forget(ctx.transactions)
        self._index.forget([entry.tx_hash for entry in ctx.transactions])

    async def _never_sent(self, operation: Operation, ctx: Context, outcome: OperationFailed) -> Record:
        """The end of an intent for which nothing was signed. One that policy or the key holder ended stays as it ended."""
        params = operation.params
        return {"op": "intent", "tx_id": f"{operation.operation_id}:{intent.STEP}", "operation_id": operation.operation_id, "step": intent.STEP,
                "from_address": await ctx.address(str(params["key_ref"])), "to_address": str(params["to"]).lower(), "key_ref": params["key_ref"],
                "state": "failed_presubmit", "reason": outcome.code}  # fmt: skip

    def resume(self, operations: Sequence[JournaledOperation]) -> None:
        """Go on with what was open when the service stopped."""
        for journaled in operations:
            log.info("operation.resumed", operation_id=journaled.operation_id, kind=journaled.kind, transactions=len(journaled.transactions))  # fmt: skip
            self.start(journaled)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(entry, names) for entry in value]  # pyright: ignore[reportUnknownVariableType]  # JSON
    return names.get(value, value) if isinstance(value, str) else value


def _state(operation: Operation, state: str, **members: Any) -> Record:
    return {"op": "operation", "operation_id": operation.operation_id, "state": state, **members}


def _event(kind: str, operation: Operation, payload: dict[str, Any]) -> Record:
    return {"event_id": f"{kind}:{operation.operation_id}", "type": kind, "occurred_at": rfc3339(utc_now()), "correlation_id": operation.correlation_id,
            "block_number": None, "block_hash": None, "tx_hash": None, "log_index": None, "payload": payload}  # fmt: skip
