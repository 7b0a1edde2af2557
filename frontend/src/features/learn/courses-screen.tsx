"use client";

import { useLive } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { queries } from "@/lib/use-queries";

export function CoursesScreen() {
  const courses = useLive(queries.courses(), 60_000);
  if (courses.error) return <ProblemView error={courses.error} />;
  if (courses.data?.data.length === 0) return <p className="text-muted">No course has been published yet.</p>;
  return (
    <ul className="grid gap-3 md:grid-cols-2">
      {courses.data?.data.map(({ course_id, title, summary }) => (
        <li key={course_id} className="rounded-md border bg-panel p-4">
          <h2 className="font-semibold">{title}</h2>
          <p className="mt-1 text-muted">{summary}</p>
        </li>
      ))}
    </ul>
  );
}
