import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { Deployments } from "@/features/offerings/desk-offerings";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Deployments" };

export default function TokenizationAgentOfferingsPage() {
  return (
    <Prefetch reads={(queries) => [queries.offerings()]}>
      <PageHeader title="Deployments" lead="Deploy the token of each approved offering." />
      <Deployments />
    </Prefetch>
  );
}
