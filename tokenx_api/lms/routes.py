"""HTTP routes of courses."""

from fastapi import APIRouter

from tokenx_api.deps import AnyActor, Read
from tokenx_api.lms import service
from tokenx_api.lms.models import CourseDetailView, CourseView
from tokenx_api.paging import DEFAULT_LIMIT, Cursor, Limit, cut, decode_cursor
from tokenx_common.wire import Page

router = APIRouter(prefix="/v1/courses", tags=["lms"])


@router.get("")
async def list_courses(
    _actor: AnyActor, conn: Read, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[CourseView]:
    """Courses about the market and about custody."""
    rows = await service.page(conn, after=decode_cursor(cursor), limit=limit + 1)
    page, next_cursor = cut(rows, limit, lambda row: row.course_id)
    return Page(data=page, next_cursor=next_cursor)


@router.get("/{course_id}")
async def get_course(_actor: AnyActor, course_id: str, conn: Read) -> CourseDetailView:
    """One course with its lessons."""
    return await service.get(conn, course_id)
