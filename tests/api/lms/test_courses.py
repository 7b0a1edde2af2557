"""Courses."""

from tests.api.world import World


async def test_seeded_courses_have_their_lessons_in_order(world: World) -> None:
    reader = await world.staff("investor")
    courses = (await reader.get("/v1/courses"))["data"]
    assert {course["course_id"] for course in courses} == {"crs_market", "crs_custody"}
    for course in courses:
        detail = await reader.get(f"/v1/courses/{course['course_id']}")
        assert [lesson["position"] for lesson in detail["lessons"]] == list(range(1, course["lesson_count"] + 1))
        assert all(len(lesson["body"]) > 100 for lesson in detail["lessons"])


async def test_courses_page_by_id(world: World) -> None:
    reader = await world.staff("investor")
    first = await reader.get("/v1/courses?limit=1")
    second = await reader.get(f"/v1/courses?limit=1&cursor={first['next_cursor']}")
    assert [first["data"][0]["course_id"], second["data"][0]["course_id"]] == ["crs_custody", "crs_market"]
    assert second["next_cursor"] is None


async def test_unpublished_course_is_not_found(world: World) -> None:
    await world.api.fetch(
        "INSERT INTO lms.courses (course_id, title, version, summary) VALUES ('crs_draft', 'Draft', 1, '') RETURNING 1"
    )
    reader = await world.staff("investor")
    assert (await reader.get("/v1/courses/crs_draft", expect=404))["code"] == "course.not_found"
