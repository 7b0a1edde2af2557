"""Who is calling."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from tokenx_common.wire import WireModel

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


@dataclass(frozen=True)
class NewSession:
    """token is known to the client only; the database holds its hash."""

    token: str
    csrf_token: str


class LoginRequest(WireModel):
    email: Annotated[str, Field(min_length=1, max_length=254)]
    password: Annotated[str, Field(min_length=1, max_length=128)]


class UserView(WireModel):
    """The signed-in user, as the screens need it."""

    user_id: str
    email: str
    display_name: str
    personas: list[Persona]
    investor_id: str | None
    issuer_id: str | None


class MeView(UserView):
    """csrf_token goes into X-CSRF-Token on unsafe requests of a cookie session."""

    csrf_token: str


class SessionView(WireModel):
    """token: for `Authorization: Bearer`; browsers use the cookie instead."""

    token: str
    csrf_token: str
    user: UserView
