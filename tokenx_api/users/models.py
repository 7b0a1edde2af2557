"""Users: people who sign in. What they may do follows from their personas."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from tokenx_api.auth.models import Persona
from tokenx_common.wire import WireModel

_EMAIL_CHARACTERS: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.!#$%&'*+/=?^_`{|}~-@")


def _email(text: str) -> str:
    """Lower case. Only the shape is checked; that the address works is for a confirmation mail to prove."""
    email = text.lower()
    local, _, domain = email.partition("@")
    if (
        not local
        or "." not in domain.strip(".")
        or ".." in domain
        or not set(email) <= _EMAIL_CHARACTERS
        or "@" in domain
    ):
        raise PydanticCustomError("not_an_email", "must be an e-mail address")
    return email


EmailAddress = Annotated[str, Field(min_length=3, max_length=254), AfterValidator(_email)]
Password = Annotated[str, Field(min_length=10, max_length=128)]
DisplayName = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^\S(.*\S)?$")]


@dataclass(frozen=True)
class Credential:
    """What sign-in needs of a user."""

    user_id: str
    password_hash: str
    status: str


@dataclass(frozen=True)
class User:
    user_id: str
    email: str
    display_name: str
    personas: tuple[Persona, ...]
    status: Literal["active", "suspended"]
    created_at: datetime


class BootstrapUser(WireModel):
    """A user the operator's own tool creates at first start."""

    email: EmailAddress
    password: Password
    display_name: DisplayName
    personas: Annotated[list[Persona], Field(min_length=1)]


class BootstrapRequest(WireModel):
    users: Annotated[list[BootstrapUser], Field(min_length=1, max_length=100)]


class BootstrapAnswer(WireModel):
    """Which addresses got an account now, and which had one before (nothing about those was changed)."""

    created: list[str]
    existing: list[str]
