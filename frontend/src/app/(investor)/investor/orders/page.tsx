import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { OrdersScreen } from "@/features/orders/orders-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Orders and fills" };

export default function InvestorOrdersPage() {
  return (
    <Prefetch reads={(queries) => [queries.orders(), queries.executions()]}>
      <PageHeader title="Orders and fills" lead="Everything you sent to the market, and what came of it." />
      <OrdersScreen />
    </Prefetch>
  );
}
