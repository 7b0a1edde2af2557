import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { InvestorOfferings } from "@/features/offerings/investor-offerings";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Offerings" };

export default function InvestorOfferingsPage() {
  return (
    <Prefetch reads={(queries) => [queries.offerings()]}>
      <PageHeader title="Offerings" lead="Subscribe to new issues, or trade those that have a market." />
      <InvestorOfferings />
    </Prefetch>
  );
}
