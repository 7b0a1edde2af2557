"use client";

import Link from "next/link";
import { useLive } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { queries } from "@/lib/use-queries";

export function CoursesScreen() {
  const courses = useLive(queries.courses(), 60_000);
  if (courses.error) return <ProblemView error={courses.error} />;
  if (courses.data?.data.length === 0) return <p className="text-muted">No course has been published yet.</p>;
  return (
    <ul className="grid gap-3 md:grid-cols-2">
      {courses.data?.data.map(({ course_id, title, summary, lesson_count }) => (
        <li key={course_id} className="rounded-md border bg-panel p-4">
          <h2 className="font-semibold">
            <Link href={`/investor/learn/${course_id}`} prefetch={false} className="underline-offset-2 hover:underline">
              {title}
            </Link>
          </h2>
          <p className="mt-1 text-muted">{summary}</p>
          <p className="mt-2 text-xs text-muted">{lesson_count === 1 ? "1 lesson" : `${lesson_count} lessons`}</p>
        </li>
      ))}
    </ul>
  );
}
