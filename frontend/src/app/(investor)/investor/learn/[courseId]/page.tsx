import type { Metadata } from "next";
import { CourseScreen } from "@/features/learn/course-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Course" };

export default async function CoursePage({ params }: { params: Promise<{ courseId: string }> }) {
  const { courseId } = await params;
  return (
    <Prefetch reads={(queries) => [queries.course(courseId)]}>
      <CourseScreen courseId={courseId} />
    </Prefetch>
  );
}
