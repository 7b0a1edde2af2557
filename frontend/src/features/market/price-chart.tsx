"use client";

import dynamic from "next/dynamic";
import { useState } from "react";
import { useLive } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { Button } from "@/components/ui/button";
import { Panel } from "@/components/ui/panel";
import { queries } from "@/lib/use-queries";

// The chart library is the heaviest part of the app and draws on a canvas: only here, only in the browser.
const CandleCanvas = dynamic(() => import("./candle-canvas"), { ssr: false });
const INTERVALS = ["1m", "5m", "1h"] as const;

export function PriceChart({ offeringId }: { offeringId: string }) {
  const [interval, setInterval] = useState<(typeof INTERVALS)[number]>("5m");
  const candles = useLive(queries.candles(offeringId, interval), 10_000);
  const rows = candles.data?.data ?? [];
  return (
    <Panel
      title="Price"
      flush
      actions={
        <fieldset className="flex gap-1">
          <legend className="sr-only">Interval</legend>
          {INTERVALS.map((choice) => (
            <Button
              key={choice}
              size="sm"
              tone={choice === interval ? "outline" : "ghost"}
              aria-pressed={choice === interval}
              onClick={() => setInterval(choice)}
            >
              {choice}
            </Button>
          ))}
        </fieldset>
      }
    >
      {/* A fixed height: the library measures its box, and an empty one would stay blank. */}
      <div className="relative h-72">
        {candles.error ? (
          <div className="p-3">
            <ProblemView error={candles.error} />
          </div>
        ) : null}
        {rows.length > 0 ? <CandleCanvas candles={rows} /> : null}
        {candles.data && rows.length === 0 ? (
          <p className="absolute inset-0 grid place-items-center text-muted">No trades to draw yet.</p>
        ) : null}
      </div>
    </Panel>
  );
}
