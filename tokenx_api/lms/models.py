"""Courses and their lessons."""

from tokenx_common.wire import WireModel


class CourseView(WireModel):
    course_id: str
    title: str
    version: int
    summary: str
    lesson_count: int


class LessonView(WireModel):
    """body: plain text in paragraphs."""

    lesson_id: str
    position: int
    title: str
    body: str


class CourseDetailView(CourseView):
    lessons: list[LessonView]
