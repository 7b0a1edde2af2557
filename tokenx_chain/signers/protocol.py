"""What a backend implements. The contract tests in tests/signers run over every implementation."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from tokenx_chain.signers.jobs import (
    Backend,
    Capabilities,
    ContractCallRequest,
    MessageRequest,
    SignerHealth,
    SignJob,
    SignRequest,
    TypedDataRequest,
)


class Signer(Protocol):
    """Holds keys or reaches who does. Never assembles transactions: the service does, and checks each signature (assembler.py)."""

    @property
    def backend(self) -> Backend: ...

    @property
    def capabilities(self) -> Capabilities: ...

    async def health(self) -> SignerHealth:
        """Never raises."""
        ...

    async def address(self, key_ref: str) -> str:
        """Lower case. The same for as long as the process lives. Raises UnknownKey, SignerUnavailable."""
        ...

    async def submit(self, request: SignRequest) -> SignJob:
        """Idempotent by job_id. Raises SignerUnavailable (nothing is known: submit again), SignerRefused, UnknownKey, JobConflict."""
        ...

    async def sign_typed_data(self, request: TypedDataRequest) -> SignJob:
        """As submit."""
        ...

    async def sign_message(self, request: MessageRequest) -> SignJob:
        """As submit."""
        ...

    async def submit_contract_call(self, request: ContractCallRequest) -> SignJob:
        """Raises NotSupported unless capabilities.contract_call."""
        ...

    async def poll(self, job_id: str) -> SignJob:
        """Raises UnknownJob when the backend never heard of it, or this process forgot it: submit again. Raises SignerUnavailable."""
        ...

    async def on_webhook(self, headers: Mapping[str, str], raw: bytes) -> Sequence[SignJob]:
        """The jobs a webhook speaks of, each read back from the backend. Duplicates are fine. Raises ForgedWebhook, NotSupported."""
        ...

    async def cancel(self, job_id: str) -> SignJob:
        """Ask for the end of a job; returns where it stands now, which may still be PENDING or even SIGNED. Raises UnknownJob."""
        ...

    async def close(self) -> None: ...
