"use client";

import Link from "next/link";
import { type Column, DataTable } from "@/components/data-table";
import { useLive, useTopics } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { buttonStyle } from "@/components/ui/button";
import { Stat, Stats } from "@/components/ui/panel";
import { SettlementsTable } from "@/features/settlements/settlements-table";
import { formatMoney, formatUnits } from "@/lib/decimal";
import type { Holding } from "@/lib/types";
import { queries } from "@/lib/use-queries";

const COLUMNS: readonly Column<Holding>[] = [
  { header: "Security", value: (row) => row.symbol, cell: (row) => <span className="font-medium">{row.symbol}</span> },
  { header: "Units", value: (row) => row.units, cell: (row) => formatUnits(row.units), numeric: true },
  {
    header: "Available",
    value: (row) => row.available_units,
    cell: (row) => formatUnits(row.available_units),
    numeric: true,
  },
  {
    header: "Reserved",
    value: (row) => row.reserved_units,
    cell: (row) => formatUnits(row.reserved_units),
    numeric: true,
  },
  {
    header: "Settling in",
    value: (row) => row.pending_in_units,
    cell: (row) => formatUnits(row.pending_in_units),
    numeric: true,
  },
  {
    header: "On chain",
    value: (row) => row.on_chain_units,
    cell: (row) => formatUnits(row.on_chain_units),
    numeric: true,
  },
  {
    header: "Last price",
    value: (row) => row.last_price_amount,
    cell: (row) => formatMoney(row.last_price_amount),
    numeric: true,
  },
  { header: "Value", value: (row) => row.value_amount, cell: (row) => formatMoney(row.value_amount), numeric: true },
];

export function PortfolioScreen() {
  useTopics("orders", "settlements", "portfolio", "chain");
  const portfolio = useLive(queries.portfolio());
  const { cash, holdings, total_value_amount } = portfolio.data ?? {};
  return (
    <div className="space-y-4">
      {portfolio.error ? <ProblemView error={portfolio.error} /> : null}
      <Stats>
        <Stat label="Total value" value={formatMoney(total_value_amount, cash?.currency)} />
        <Stat label="Cash" value={formatMoney(cash?.balance, cash?.currency)} />
        <Stat label="Reserved for orders" value={formatMoney(cash?.reserved, cash?.currency)} />
        <Stat label="Available cash" value={formatMoney(cash?.available, cash?.currency)} />
      </Stats>
      <DataTable
        label="Holdings"
        query={{ ...portfolio, data: holdings && { data: holdings } }}
        columns={COLUMNS}
        rowId={(row) => row.offering_id}
        empty="You hold no securities yet. Subscribe to an offering or buy on the market."
        actions={(row) => (
          <Link href={`/investor/trade/${row.offering_id}`} prefetch={false} className={buttonStyle({ size: "sm" })}>
            Trade
          </Link>
        )}
      />
      <SettlementsTable empty="Nothing has traded yet. Fills appear here while they settle on chain." />
    </div>
  );
}
