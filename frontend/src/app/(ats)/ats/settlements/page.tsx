import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { SettlementsScreen } from "@/features/settlements/settlements-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Settlements" };

export default function AtsSettlementsPage() {
  return (
    <Prefetch reads={(queries) => [queries.settlements()]}>
      <PageHeader title="Settlements" lead="Fills on their way to the chain." />
      <SettlementsScreen />
    </Prefetch>
  );
}
