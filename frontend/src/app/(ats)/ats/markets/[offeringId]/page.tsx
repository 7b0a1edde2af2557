import type { Metadata } from "next";
import { MarketWatch } from "@/features/market/market-watch";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Market" };

export default async function MarketPage({ params }: { params: Promise<{ offeringId: string }> }) {
  const { offeringId: id } = await params;
  return (
    <Prefetch
      reads={(queries) => [queries.offering(id), queries.book(id), queries.trades(id), queries.candles(id, "5m")]}
    >
      <MarketWatch offeringId={id} />
    </Prefetch>
  );
}
