"use client";

import { useLive } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { Badge } from "@/components/ui/badge";
import { formatMoney } from "@/lib/decimal";
import { touchOf } from "@/lib/ladder";
import { queries } from "@/lib/use-queries";

/** What is traded, at what prices, and whether it may trade now. */
export function MarketHeader({ offeringId }: { offeringId: string }) {
  const offering = useLive(queries.offering(offeringId));
  const book = useLive(queries.book(offeringId), 2_000);
  const touch = touchOf(book.data);
  if (offering.error) return <ProblemView error={offering.error} />;
  const { symbol, name, market_state, last_price_amount, currency } = offering.data ?? {};
  return (
    <div className="mb-3 flex flex-wrap items-end gap-x-6 gap-y-2">
      <div className="min-w-0">
        <h1 className="flex items-center gap-2 text-xl font-semibold tracking-tight">
          {symbol ?? "Market"} {market_state ? <Badge state={market_state} /> : null}
        </h1>
        <p className="truncate text-muted">{name ?? "\u00a0"}</p>
      </div>
      <dl className="flex flex-wrap gap-x-6 gap-y-1">
        <Figure name="Last" value={formatMoney(last_price_amount, currency)} />
        <Figure name="Bid" value={formatMoney(touch.bid)} className="text-up" />
        <Figure name="Ask" value={formatMoney(touch.ask)} className="text-down" />
        <Figure name="Spread" value={formatMoney(touch.spread)} />
      </dl>
      {market_state && market_state !== "continuous" ? (
        <p role="status" className="w-full rounded border border-warn/40 px-3 py-2 text-warn">
          {STATE_NOTES[market_state] ?? `The market is ${market_state}.`}
        </p>
      ) : null}
    </div>
  );
}

const STATE_NOTES: Record<string, string> = {
  halted: "Trading is halted. New orders are refused until the operator resumes the market.",
  cancel_only: "Only cancels are taken just now.",
  closed: "This market is not open for trading.",
};

function Figure({ name, value, className }: { name: string; value: string; className?: string }) {
  return (
    <div>
      <dt className="text-xs text-muted">{name}</dt>
      <dd className={`font-semibold ${className ?? ""}`}>{value}</dd>
    </div>
  );
}
