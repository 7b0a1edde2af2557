"use client";

import { useLive } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { Panel } from "@/components/ui/panel";
import { cn } from "@/lib/cn";
import { formatMoney, formatUnits } from "@/lib/decimal";
import { formatTime } from "@/lib/time";
import { queries } from "@/lib/use-queries";

/** The last trades; the colour is the side that took. */
export function TradeTape({ offeringId }: { offeringId: string }) {
  const trades = useLive(queries.trades(offeringId), 3_000);
  return (
    <Panel title="Trades" flush className="self-start">
      {trades.error ? (
        <div className="p-3">
          <ProblemView error={trades.error} />
        </div>
      ) : null}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section aria-label="Last trades" tabIndex={0} className="relative max-h-[17.5rem] overflow-y-auto">
        <table className="w-full text-right text-[0.8125rem]">
          <thead className="sticky top-0 bg-panel text-xs text-muted">
            <tr>
              <th scope="col" className="px-3 py-1 text-left font-normal">
                Price
              </th>
              <th scope="col" className="px-3 py-1 font-normal">
                Units
              </th>
              <th scope="col" className="px-3 py-1 font-normal">
                Time, UTC
              </th>
            </tr>
          </thead>
          <tbody>
            {trades.data?.data.map((trade) => (
              <tr key={trade.fill_id} className="h-6">
                <td className={cn("px-3 text-left font-medium", trade.side === "buy" ? "text-up" : "text-down")}>
                  {formatMoney(trade.price)}
                  <span className="sr-only"> {trade.side === "buy" ? "buyer took" : "seller took"}</span>
                </td>
                <td className="px-3">{formatUnits(trade.quantity)}</td>
                <td className="px-3 text-muted">{formatTime(trade.executed_at)}</td>
              </tr>
            ))}
          </tbody>
        </table>
        {trades.data?.data.length === 0 ? <p className="px-3 py-8 text-center text-muted">No trades yet.</p> : null}
        {trades.isPending ? <p className="px-3 py-8 text-center text-muted">Loading…</p> : null}
      </section>
    </Panel>
  );
}
