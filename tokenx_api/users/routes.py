"""HTTP routes of users: the operator's tool creates the first accounts."""

from typing import Annotated

from fastapi import APIRouter, Depends

from tokenx_api.deps import Context
from tokenx_api.users import service
from tokenx_api.users.models import BootstrapAnswer, BootstrapRequest, BootstrapUser
from tokenx_common.service_auth import ServiceName, require_service

router = APIRouter(tags=["users"])

Cli = Annotated[ServiceName, Depends(require_service("cli"))]


@router.post("/internal/bootstrap/users")
async def bootstrap_users(caller: Cli, body: BootstrapRequest, context: Context) -> BootstrapAnswer:
    """Create the accounts that do not exist yet; change nothing about those that do."""
    async with context.db.read() as conn:
        existing = await service.taken(conn, [user.email for user in body.users])
    wanted = {user.email: user for user in body.users if user.email not in existing}
    hashes = {email: await service.hash_password(user.password) for email, user in wanted.items()}
    for email, user in wanted.items():
        await _create(context, user, hashes[email], actor=f"service:{caller}")
    return BootstrapAnswer(created=sorted(wanted), existing=sorted(existing))


async def _create(context: Context, user: BootstrapUser, password_hash: str, *, actor: str) -> None:
    async with context.db.write() as conn:
        await service.create_user(
            conn,
            email=user.email,
            display_name=user.display_name,
            password_hash=password_hash,
            personas=user.personas,
            actor=actor,
        )
