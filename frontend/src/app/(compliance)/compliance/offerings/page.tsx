import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { ComplianceOfferings } from "@/features/offerings/desk-offerings";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Offerings" };

export default function ComplianceOfferingsPage() {
  return (
    <Prefetch reads={(queries) => [queries.offerings()]}>
      <PageHeader title="Offerings" lead="Approve the terms before a token is deployed." />
      <ComplianceOfferings />
    </Prefetch>
  );
}
