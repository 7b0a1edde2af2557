import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { HealthScreen } from "@/features/admin/health-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Health" };

export default function AdminPage() {
  return (
    <Prefetch reads={(queries) => [queries.health()]}>
      <PageHeader title="Health" lead="Every service and what it depends on." />
      <HealthScreen />
    </Prefetch>
  );
}
