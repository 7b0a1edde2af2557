import { cn } from "@/lib/cn";
import { shortId } from "@/lib/ids";
import { formatDateTime } from "@/lib/time";

/** Small cells that many tables share. */

export function Id({ value }: { value: string | null | undefined }) {
  return (
    <span className="font-mono text-xs" title={value ?? undefined}>
      {shortId(value)}
    </span>
  );
}

export function Side({ side }: { side: string }) {
  return (
    <span className={cn("font-medium", side === "buy" ? "text-up" : "text-down")}>
      {side === "buy" ? "Buy" : "Sell"}
    </span>
  );
}

export function When({ at }: { at: string | null | undefined }) {
  return (
    <time dateTime={at ?? undefined} className="text-muted">
      {formatDateTime(at)}
    </time>
  );
}
