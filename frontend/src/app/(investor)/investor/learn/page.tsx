import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { CoursesScreen } from "@/features/learn/courses-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Learn" };

export default function InvestorLearnPage() {
  return (
    <Prefetch reads={(queries) => [queries.courses()]}>
      <PageHeader title="Learn" lead="Short courses on what you may do with restricted securities." />
      <CoursesScreen />
    </Prefetch>
  );
}
