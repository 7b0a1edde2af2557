import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { MarketMonitor } from "@/features/market/market-monitor";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Market monitor" };

export default function AtsPage() {
  return (
    <Prefetch reads={(queries) => [queries.markets()]}>
      <PageHeader title="Market monitor" lead="Every book at a glance, and the switch that stops it." />
      <MarketMonitor />
    </Prefetch>
  );
}
