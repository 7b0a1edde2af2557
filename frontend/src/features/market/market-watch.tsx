"use client";

import { useTopics } from "@/components/live-provider";
import { MarketHeader } from "./market-header";
import { OrderBook } from "./order-book";
import { PriceChart } from "./price-chart";
import { TradeTape } from "./trade-tape";

/** One market as the operator sees it: to read, not to trade. */
export function MarketWatch({ offeringId }: { offeringId: string }) {
  useTopics(`book:${offeringId}`, `trades:${offeringId}`);
  return (
    <>
      <MarketHeader offeringId={offeringId} />
      <div className="grid grid-cols-[minmax(0,1fr)] gap-3 md:grid-cols-[minmax(0,1fr)_18rem]">
        <div className="min-w-0 space-y-3">
          <PriceChart offeringId={offeringId} />
          <TradeTape offeringId={offeringId} />
        </div>
        <OrderBook offeringId={offeringId} />
      </div>
    </>
  );
}
