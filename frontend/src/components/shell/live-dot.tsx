"use client";

import { cn } from "@/lib/cn";
import { type LiveStatus, useLiveStatus } from "../live-provider";

const LOOK: Record<LiveStatus, { text: string; colour: string }> = {
  live: { text: "Live", colour: "bg-up" },
  polling: { text: "Polling", colour: "bg-warn" },
  connecting: { text: "Connecting", colour: "bg-muted" },
};

/** Says how fresh the screen is: fed by the stream, or asking again every few seconds. */
export function LiveDot() {
  const status = useLiveStatus();
  const { text, colour } = LOOK[status];
  return (
    <span role="status" data-testid="live-status" className="inline-flex items-center gap-1.5 px-1 text-xs text-muted">
      <span aria-hidden className={cn("size-2 rounded-full", colour)} />
      {text}
    </span>
  );
}
