import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { TradableOfferings } from "@/features/offerings/investor-offerings";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Trade" };

export default function InvestorTradePage() {
  return (
    <Prefetch reads={(queries) => [queries.offerings()]}>
      <PageHeader title="Trade" lead="Pick a market." />
      <TradableOfferings />
    </Prefetch>
  );
}
