import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { SubscriptionsScreen } from "@/features/subscriptions/subscriptions-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Subscriptions" };

export default function InvestorSubscriptionsPage() {
  return (
    <Prefetch reads={(queries) => [queries.subscriptions()]}>
      <PageHeader title="Subscriptions" lead="From request to tokens in your wallet." />
      <SubscriptionsScreen decides={false} />
    </Prefetch>
  );
}
