import type { Metadata } from "next";
import { TradeScreen } from "@/features/market/trade-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Market" };

export default async function TradePage({ params }: { params: Promise<{ offeringId: string }> }) {
  const { offeringId: id } = await params;
  return (
    <Prefetch
      reads={(queries) => [
        queries.offering(id),
        queries.book(id),
        queries.trades(id),
        queries.candles(id, "5m"),
        queries.portfolio(),
        queries.orders({ status: "open", offering_id: id }),
        queries.executions(id),
      ]}
    >
      <TradeScreen offeringId={id} />
    </Prefetch>
  );
}
