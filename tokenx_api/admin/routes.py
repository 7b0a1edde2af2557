"""HTTP routes of administration."""

from fastapi import APIRouter

from tokenx_api.admin import service
from tokenx_api.admin.models import AdminUserView, HealthReport
from tokenx_api.deps import AdminActor, Context, Read
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit, cut, decode_cursor
from tokenx_api.users import service as users
from tokenx_api.users.models import User
from tokenx_common.wire import Page

router = APIRouter(prefix="/v1/admin", tags=["admin"])


@router.get("/users")
async def list_users(
    _actor: AdminActor, conn: Read, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[AdminUserView]:
    """All accounts, newest first."""
    rows = await users.list_users(conn, before=decode_cursor(cursor), limit=limit + 1)
    page, next_cursor = cut(rows, limit, lambda row: row.user_id)
    return Page(data=[_view(row) for row in page], next_cursor=next_cursor)


@router.get("/health")
async def platform_health(_actor: AdminActor, context: Context) -> HealthReport:
    """The state of every service and what it depends on."""
    return await service.health(context.settings)


def _view(user: User) -> AdminUserView:
    return AdminUserView(
        user_id=user.user_id,
        email=user.email,
        display_name=user.display_name,
        personas=list(user.personas),
        status=user.status,
        created_at=user.created_at,
    )
