import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { KytAlerts } from "@/features/alerts/alerts-screens";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Transaction alerts" };

export default function ComplianceKytPage() {
  return (
    <Prefetch reads={(queries) => [queries.kytAlerts()]}>
      <PageHeader title="Transaction alerts" lead="Transfers whose counterparties or patterns look wrong." />
      <KytAlerts />
    </Prefetch>
  );
}
