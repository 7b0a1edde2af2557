"""Accounts."""

from collections.abc import Sequence

from tokenx_api.audit import service as audit
from tokenx_api.auth.models import Persona
from tokenx_api.db import ReadConn, WriteConn
from tokenx_api.users import queries
from tokenx_api.users.errors import EmailTaken
from tokenx_api.users.models import Credential, User
from tokenx_common.ids import new_id


async def create_user(
    conn: WriteConn,
    *,
    email: str,
    display_name: str,
    password_hash: str,
    personas: Sequence[Persona],
    actor: str | None = None,
) -> str:
    """A new account's id. actor None: the user acts for itself. Raises EmailTaken."""
    user_id = new_id("usr")
    if not await queries.insert(
        conn, user_id=user_id, email=email, display_name=display_name, password_hash=password_hash, personas=personas
    ):
        raise EmailTaken("an account with this address exists")
    await audit.record(
        conn,
        actor=actor or user_id,
        action="user.registered",
        subject_type="user",
        subject_id=user_id,
        personas=list(personas),
    )
    return user_id


async def credential(conn: ReadConn, email: str) -> Credential | None:
    """What sign-in needs; None for an unknown address."""
    return await queries.select_credential(conn, email)


async def taken(conn: ReadConn, emails: Sequence[str]) -> set[str]:
    """Those of the addresses that have an account."""
    return await queries.select_taken(conn, emails)


async def list_users(conn: ReadConn, *, before: str | None, limit: int) -> list[User]:
    """Newest first."""
    return await queries.select_page(conn, before=before, limit=limit)
