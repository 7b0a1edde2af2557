import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { PaymentsScreen } from "@/features/payments/payments-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Cash" };

export default function InvestorPaymentsPage() {
  return (
    <Prefetch reads={(queries) => [queries.payments()]}>
      <PageHeader title="Cash" lead="Bring money in; it becomes the platform’s stablecoin on chain." />
      <PaymentsScreen />
    </Prefetch>
  );
}
