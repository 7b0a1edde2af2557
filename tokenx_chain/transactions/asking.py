"""Asking the key holder: the name an attempt has for ever, and what its answers mean for a nonce.

Only an error that proves_unsigned frees one. Everything else keeps it: an outage is waited out, anything stranger is shown to people once."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from tokenx_chain.signers.base import SignedTransaction, Signer, UnsignedTransaction
from tokenx_chain.signers.errors import NotDecided, SignerError, SignerUnavailable
from tokenx_chain.signers.jobs import JOB_ID, Context
from tokenx_chain.transactions.errors import IntentRefused
from tokenx_common.log import get_logger

log = get_logger(__name__)

RETRY_S: Final = 0.2
LOOK_AGAIN_S: Final = 2.0
"""After an answer that proves nothing and is not an outage: people have to put something right first."""
AWAY: Final = "signer_away"

OnHeld = Callable[[str], Awaitable[None]]
"""Told once why an attempt is held up: the code."""


def attempt_id(tx_id: str, number: int, *, spent: int = 0) -> str:
    """What the key holder knows an attempt by. spent: names of this number that were refused before and can never be signed."""
    name = f"{tx_id}:{number}" + (f".{spent}" if spent else "")
    return name if JOB_ID.fullmatch(name) else "att-" + hashlib.sha256(name.encode()).hexdigest()


def context_of(unsigned: UnsignedTransaction, **facts: str) -> Context:
    """What whoever approves is told."""
    called = {"chain": str(unsigned.chain_id), "to": unsigned.to or "a new contract", "nonce": str(unsigned.nonce)}
    value = {"wei": str(unsigned.value)} if unsigned.value else {}
    return tuple({**{name: fact for name, fact in facts.items() if fact}, **called, **value}.items())


@dataclass(frozen=True)
class Asked:
    """One attempt as the key holder is to hear of it, the same each time."""

    attempt: str
    intent: str
    unsigned: UnsignedTransaction
    context: Context = ()
    deadline: datetime | None = None


class Asker:
    """Asks for one address's signatures as often as it takes."""

    def __init__(self, signer: Signer, key_ref: str) -> None:
        self._signer = signer
        self._key_ref = key_ref
        self._held: dict[str, str] = {}

    @property
    def why(self) -> str | None:
        """Why signatures do not come, the strangest reason first. An approval that takes its time is none."""
        return next(iter(sorted(set(self._held.values()), key=lambda reason: (reason == AWAY, reason))), None)

    @property
    def is_stopped(self) -> bool:
        """Whether people must look before anything further is asked for."""
        return any(reason != AWAY for reason in self._held.values())

    async def signature(self, asked: Asked, on_held: OnHeld) -> SignedTransaction:
        """Raises IntentRefused when the key holder proves that it has not signed and will not."""
        try:
            while True:
                try:
                    return await self._once(asked)
                except NotDecided:
                    self._held.pop(asked.attempt, None)
                    await asyncio.sleep(RETRY_S)
                except SignerError as error:
                    if error.proves_unsigned:
                        raise IntentRefused(error.code, error.detail) from error
                    await self._wait(asked, error, on_held)
        finally:
            self._held.pop(asked.attempt, None)

    async def _once(self, asked: Asked) -> SignedTransaction:
        return await self._signer.sign_transaction(self._key_ref, asked.unsigned, attempt_id=asked.attempt, intent_id=asked.intent,
                                                   policy_context=asked.context, deadline=asked.deadline)  # fmt: skip

    async def _wait(self, asked: Asked, error: SignerError, on_held: OnHeld) -> None:
        is_outage = isinstance(error, SignerUnavailable)
        reason = AWAY if is_outage else error.code
        if self._held.get(asked.attempt) != reason:
            is_news = reason not in self._held.values()
            self._held[asked.attempt] = reason
            tell = log.info if not is_news else log.warning if is_outage else log.error
            tell("sender.held_by_signer", key_ref=self._key_ref, attempt=asked.attempt, nonce=asked.unsigned.nonce, code=error.code, detail=error.detail)  # fmt: skip
            if not is_outage:
                await on_held(reason)
        await asyncio.sleep(RETRY_S if is_outage else LOOK_AGAIN_S)
