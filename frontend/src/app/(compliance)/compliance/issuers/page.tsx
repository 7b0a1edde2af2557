import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { IssuerQueue } from "@/features/people/issuer-queue";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Issuers" };

export default function ComplianceIssuersPage() {
  return (
    <Prefetch reads={(queries) => [queries.issuers()]}>
      <PageHeader title="Issuers" lead="Approve companies before they may issue." />
      <IssuerQueue />
    </Prefetch>
  );
}
