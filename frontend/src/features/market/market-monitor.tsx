"use client";

import Link from "next/link";
import { type Column, DataTable } from "@/components/data-table";
import { useLive, useTopics } from "@/components/live-provider";
import { Badge } from "@/components/ui/badge";
import { buttonStyle } from "@/components/ui/button";
import { MarketControls } from "@/features/offerings/offering-actions";
import { formatMoney, formatUnits } from "@/lib/decimal";
import type { Market } from "@/lib/types";
import { queries } from "@/lib/use-queries";

const COLUMNS: readonly Column<Market>[] = [
  { header: "Market", value: (row) => row.symbol, cell: (row) => <span className="font-medium">{row.symbol}</span> },
  { header: "State", value: (row) => row.market_state, cell: (row) => <Badge state={row.market_state} /> },
  {
    header: "Bid",
    value: (row) => row.best_bid,
    cell: (row) => <span className="text-up">{formatMoney(row.best_bid)}</span>,
    numeric: true,
  },
  {
    header: "Ask",
    value: (row) => row.best_ask,
    cell: (row) => <span className="text-down">{formatMoney(row.best_ask)}</span>,
    numeric: true,
  },
  { header: "Spread", value: (row) => row.spread, cell: (row) => formatMoney(row.spread), numeric: true },
  { header: "Last", value: (row) => row.last_price, cell: (row) => formatMoney(row.last_price), numeric: true },
  {
    header: "Units, 24 h",
    value: (row) => row.volume_units_24h,
    cell: (row) => formatUnits(row.volume_units_24h),
    numeric: true,
  },
  { header: "Trades, 24 h", value: (row) => row.trades_24h, numeric: true },
  { header: "Open orders", value: (row) => row.open_orders, numeric: true },
  { header: "Commands", value: (row) => row.cmd_seq, numeric: true },
  {
    header: "Lag",
    value: (row) => row.lag,
    cell: (row) => <span className={row.lag > 0 ? "text-warn" : undefined}>{row.lag}</span>,
    numeric: true,
  },
];

/** Every book on one screen, with the switch that stops it. */
export function MarketMonitor() {
  const markets = useLive(queries.markets(), 2_000);
  const ids = markets.data?.data.map(({ offering_id }) => `book:${offering_id}`) ?? [];
  useTopics("orders", ...ids);
  return (
    <DataTable
      label="Markets"
      query={markets}
      columns={COLUMNS}
      rowId={(row) => row.offering_id}
      empty="No offering is listed yet."
      actions={(row) => (
        <>
          <Link
            href={`/ats/markets/${row.offering_id}`}
            prefetch={false}
            className={buttonStyle({ size: "sm" })}
            aria-label={`Book of ${row.symbol}`}
          >
            Book
          </Link>
          <MarketControls offering={row} />
        </>
      )}
    />
  );
}
