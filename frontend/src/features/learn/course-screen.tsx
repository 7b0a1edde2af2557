"use client";

import { useLive } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { PageHeader } from "@/components/ui/panel";
import { queries } from "@/lib/use-queries";

/** One course, lesson after lesson, to read. */
export function CourseScreen({ courseId }: { courseId: string }) {
  const course = useLive(queries.course(courseId), 60_000);
  if (course.error) return <ProblemView error={course.error} />;
  if (!course.data) return <p className="text-muted">Loading…</p>;
  return (
    <>
      <PageHeader title={course.data.title} lead={course.data.summary} />
      <ol className="max-w-prose space-y-6">
        {course.data.lessons.map(({ lesson_id, position, title, body }) => (
          <li key={lesson_id}>
            <h2 className="font-semibold">
              {position}. {title}
            </h2>
            <p className="mt-1 whitespace-pre-line">{body}</p>
          </li>
        ))}
      </ol>
    </>
  );
}
