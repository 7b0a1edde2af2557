"""Who is calling."""

from dataclasses import dataclass
from typing import Literal

Persona = Literal[
    "investor", "issuer", "compliance_officer", "transfer_agent", "tokenization_agent", "ats_operator", "admin"
]


@dataclass(frozen=True)
class Actor:
    """A signed-in user. investor_id and issuer_id are None until such a profile exists."""

    user_id: str
    email: str
    display_name: str
    personas: tuple[Persona, ...]
    investor_id: str | None
    issuer_id: str | None
    csrf_token: str

    @property
    def is_staff(self) -> bool:
        """Whether any persona but investor and issuer is held."""
        return bool(set(self.personas) - {"investor", "issuer"})
