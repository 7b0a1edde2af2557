import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { InvestorList } from "@/features/people/kyc-queue";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Investors" };

export default function TransferAgentHoldersPage() {
  return (
    <Prefetch reads={(queries) => [queries.investors()]}>
      <PageHeader title="Investors" lead="Everyone who may hold, with their wallets." />
      <InvestorList />
    </Prefetch>
  );
}
