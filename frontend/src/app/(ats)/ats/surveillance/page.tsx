import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { SurveillanceAlerts } from "@/features/alerts/alerts-screens";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Trade surveillance" };

export default function AtsSurveillancePage() {
  return (
    <Prefetch reads={(queries) => [queries.surveillanceAlerts()]}>
      <PageHeader title="Trade surveillance" lead="Patterns of market abuse in orders and fills." />
      <SurveillanceAlerts decides />
    </Prefetch>
  );
}
