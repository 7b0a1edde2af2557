"""SQL of courses."""

from typing import LiteralString

from tokenx_api.db import ReadConn
from tokenx_api.lms.models import CourseView, LessonView

_COURSE: LiteralString = """
    SELECT c.course_id, c.title, c.version, c.summary,
           (SELECT count(*) FROM lms.lessons l WHERE l.course_id = c.course_id)::int AS lesson_count
    FROM lms.courses c WHERE c.published"""
LIST: LiteralString = _COURSE + " AND ($1::text IS NULL OR c.course_id > $1) ORDER BY c.course_id LIMIT $2"
SELECT: LiteralString = _COURSE + " AND c.course_id = $1"
LESSONS: LiteralString = """
    SELECT lesson_id, position, title, body FROM lms.lessons WHERE course_id = $1 ORDER BY position LIMIT 1000"""


async def select_page(conn: ReadConn, *, after: str | None, limit: int) -> list[CourseView]:
    """Published courses by id."""
    return [CourseView(**dict(row)) for row in await conn.fetch(LIST, after, limit)]


async def select(conn: ReadConn, course_id: str) -> CourseView | None:
    """None for an unknown or unpublished one."""
    row = await conn.fetchrow(SELECT, course_id)
    return CourseView(**dict(row)) if row else None


async def select_lessons(conn: ReadConn, course_id: str) -> list[LessonView]:
    return [LessonView(**dict(row)) for row in await conn.fetch(LESSONS, course_id)]
