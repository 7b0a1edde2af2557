"""Courses for everyone who is signed in."""

from tokenx_api.db import ReadConn
from tokenx_api.lms import queries
from tokenx_api.lms.models import CourseDetailView, CourseView
from tokenx_common.errors import NotFound


async def page(conn: ReadConn, *, after: str | None, limit: int) -> list[CourseView]:
    """Published courses by id."""
    return await queries.select_page(conn, after=after, limit=limit)


async def get(conn: ReadConn, course_id: str) -> CourseDetailView:
    """A published course with its lessons in order. Raises NotFound."""
    course = await queries.select(conn, course_id)
    if course is None:
        raise NotFound("course")
    return CourseDetailView(**course.model_dump(), lessons=await queries.select_lessons(conn, course_id))
