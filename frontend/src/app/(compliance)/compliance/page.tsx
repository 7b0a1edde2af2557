import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { KycQueue } from "@/features/people/kyc-queue";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "KYC queue" };

export default function CompliancePage() {
  return (
    <Prefetch reads={(queries) => [queries.investors("pending")]}>
      <PageHeader title="KYC queue" lead="Decide who may hold securities here. Each decision needs a reason." />
      <KycQueue />
    </Prefetch>
  );
}
