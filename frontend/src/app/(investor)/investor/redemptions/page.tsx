import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { RedemptionsScreen } from "@/features/redemptions/redemptions-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Redemptions" };

export default function InvestorRedemptionsPage() {
  return (
    <Prefetch reads={(queries) => [queries.redemptions(), queries.portfolio()]}>
      <PageHeader title="Redemptions" lead="Give units back to the issuer for cash." />
      <RedemptionsScreen />
    </Prefetch>
  );
}
