import { add, basisPoints, compareDecimals, subtract } from "./decimal";
import type { Book, Level } from "./types";

/** One rung of the screen's ladder: a level, what is cumulated down to it, and the width of its bar. */
export interface Rung extends Level {
  cumulative: string;
  share_bp: number;
}

/** Levels best first, with running totals; share_bp is relative to `largest`, in hundredths of a percent. */
export function toRungs(levels: readonly Level[], largest: string): Rung[] {
  let cumulative = "0";
  return levels.map((level) => {
    cumulative = add(cumulative, level.quantity);
    return { ...level, cumulative, share_bp: basisPoints(cumulative, largest) };
  });
}

/** Total quantity of a side. */
export function depthOf(levels: readonly Level[]): string {
  return levels.reduce((sum, { quantity }) => add(sum, quantity), "0");
}

export interface Touch {
  bid: string | null;
  ask: string | null;
  spread: string | null;
}

/** Best prices and the gap between them. */
export function touchOf(book: Pick<Book, "bids" | "asks"> | undefined): Touch {
  const bid = book?.bids[0]?.price ?? null;
  const ask = book?.asks[0]?.price ?? null;
  return { bid, ask, spread: bid && ask ? subtract(ask, bid) : null };
}

/** The larger of two depths, for bars on one scale. */
export function larger(a: string, b: string): string {
  return compareDecimals(a, b) >= 0 ? a : b;
}
