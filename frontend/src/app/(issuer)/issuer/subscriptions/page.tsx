import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { SubscriptionsScreen } from "@/features/subscriptions/subscriptions-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Subscriptions" };

export default function IssuerSubscriptionsPage() {
  return (
    <Prefetch reads={(queries) => [queries.subscriptions()]}>
      <PageHeader title="Subscriptions" lead="Accept to issue units on chain; reject to release the cash." />
      <SubscriptionsScreen decides />
    </Prefetch>
  );
}
