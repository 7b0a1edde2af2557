import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { AuditScreen } from "@/features/audit/audit-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Audit trail" };

export default function ComplianceAuditPage() {
  return (
    <Prefetch reads={(queries) => [queries.auditEvents()]}>
      <PageHeader title="Audit trail" lead="Who did what, in order. Nothing here can be changed." />
      <AuditScreen />
    </Prefetch>
  );
}
