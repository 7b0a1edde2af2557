"use client";

import { useLive } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { Panel } from "@/components/ui/panel";
import { cn } from "@/lib/cn";
import { formatMoney, formatUnits } from "@/lib/decimal";
import { depthOf, larger, type Rung, toRungs, touchOf } from "@/lib/ladder";
import { queries } from "@/lib/use-queries";

const LEVELS = 10;

interface Props {
  offeringId: string;
  /** Prices at which the viewer has orders. */
  ownPrices?: ReadonlySet<string>;
  /** Called with a level's price; without it the book is for reading only. */
  onPick?: (price: string) => void;
}

/** The ladder: sells above, buys below, bars show what is cumulated from the best price outwards. */
export function OrderBook({ offeringId, ownPrices, onPick }: Props) {
  const book = useLive(queries.book(offeringId), 2_000);
  const bids = book.data?.bids.slice(0, LEVELS) ?? [];
  const asks = book.data?.asks.slice(0, LEVELS) ?? [];
  const largest = larger(depthOf(bids), depthOf(asks));
  const { spread } = touchOf(book.data);
  return (
    <Panel title="Order book" flush className="self-start">
      {book.error ? (
        <div className="p-3">
          <ProblemView error={book.error} />
        </div>
      ) : null}
      <div aria-hidden className="grid grid-cols-3 px-3 py-1 text-right text-xs text-muted">
        <span className="text-left">Price</span>
        <span>Units</span>
        <span>Total</span>
      </div>
      <Ladder side="sell" rungs={toRungs(asks, largest).reverse()} ownPrices={ownPrices} onPick={onPick} />
      <p className="border-y bg-raised/50 px-3 py-1 text-xs text-muted">
        {spread ? (
          <>Spread {formatMoney(spread)}</>
        ) : bids.length + asks.length > 0 ? (
          "One side is empty"
        ) : book.isPending ? (
          "Loading…"
        ) : (
          "The book is empty"
        )}
      </p>
      <Ladder side="buy" rungs={toRungs(bids, largest)} ownPrices={ownPrices} onPick={onPick} />
    </Panel>
  );
}

function Ladder({
  side,
  rungs,
  ownPrices,
  onPick,
}: { side: "buy" | "sell"; rungs: Rung[] } & Omit<Props, "offeringId">) {
  return (
    <ul aria-label={side === "buy" ? "Buy levels" : "Sell levels"}>
      {rungs.map((rung) => (
        <li key={rung.price} className="relative">
          <span
            aria-hidden
            className={cn("absolute inset-y-0 right-0", side === "buy" ? "bg-up-bar" : "bg-down-bar")}
            style={{ width: `${rung.share_bp / 100}%` }}
          />
          <Row side={side} rung={rung} own={ownPrices?.has(rung.price) ?? false} onPick={onPick} />
        </li>
      ))}
    </ul>
  );
}

const ROW = "relative grid h-6 w-full grid-cols-3 items-center px-3 text-right text-[0.8125rem]";

function Row({
  side,
  rung,
  own,
  onPick,
}: {
  side: "buy" | "sell";
  rung: Rung;
  own: boolean;
  onPick?: (price: string) => void;
}) {
  const cells = (
    <>
      <span className={cn("text-left font-medium", side === "buy" ? "text-up" : "text-down")}>
        {formatMoney(rung.price)}
        {own ? <span title="Your order is at this price"> •</span> : null}
      </span>
      <span key={rung.quantity} className="flash rounded-sm">
        {formatUnits(rung.quantity)}
      </span>
      <span className="text-muted">{formatUnits(rung.cumulative)}</span>
    </>
  );
  if (!onPick) return <div className={ROW}>{cells}</div>;
  const name = `${side === "buy" ? "Bid" : "Ask"} ${formatMoney(rung.price)}, ${formatUnits(rung.quantity)} units${own ? ", yours among them" : ""}: use this price`;
  return (
    <button
      type="button"
      aria-label={name}
      className={cn(ROW, "hover:bg-raised/60")}
      onClick={() => onPick(rung.price)}
    >
      {cells}
    </button>
  );
}
