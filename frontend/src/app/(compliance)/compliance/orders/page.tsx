import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { BlotterScreen } from "@/features/orders/orders-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Orders" };

export default function ComplianceOrdersPage() {
  return (
    <Prefetch reads={(queries) => [queries.orders()]}>
      <PageHeader title="Orders" lead="Everyone’s orders, with the decision behind each." />
      <BlotterScreen />
    </Prefetch>
  );
}
