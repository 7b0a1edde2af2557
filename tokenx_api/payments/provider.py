"""Payment providers. PAYMENT_BACKEND names the one in use; all of them report back through a callback, never in the answer."""

from typing import Protocol

from tokenx_common.ids import uuid7_hex


class PaymentProvider(Protocol):
    """Moves money between banks and the platform."""

    @property
    def name(self) -> str:
        """As PAYMENT_BACKEND spells it; stored with each payment."""
        ...

    def new_ref(self) -> str:
        """A reference under which the provider will know a payment. Chosen by us, so that asking twice moves money once."""
        ...


class SandboxProvider:
    """Moves no money: the sandbox's background work (consumer.py) calls back for every pending payment a moment later."""

    @property
    def name(self) -> str:
        return "sandbox"

    def new_ref(self) -> str:
        return f"sandbox_{uuid7_hex()}"


PROVIDERS: dict[str, PaymentProvider] = {"sandbox": SandboxProvider()}
