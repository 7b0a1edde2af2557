import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { RedemptionApprovals } from "@/features/redemptions/redemptions-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Redemptions" };

export default function TransferAgentRedemptionsPage() {
  return (
    <Prefetch reads={(queries) => [queries.redemptions()]}>
      <PageHeader title="Redemptions" lead="Approve to burn units on chain and pay cash out." />
      <RedemptionApprovals />
    </Prefetch>
  );
}
