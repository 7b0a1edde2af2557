import { cn } from "@/lib/cn";

type Tone = "good" | "bad" | "warn" | "busy" | "quiet";

const TONES: Record<Tone, string> = {
  good: "text-up border-up/40",
  bad: "text-down border-down/40",
  warn: "text-warn border-warn/40",
  busy: "text-accent border-accent/40",
  quiet: "text-muted border-line",
};

/** The state words of every noun, with the tone they are shown in. An unknown word is quiet, never hidden. */
// biome-ignore format: a table reads better than one word a line
const STATES: Record<string, Tone> = {
  approved: "good", registered: "good", settled: "good", issued: "good", filled: "good", final: "good", ok: "good", open: "good",
  continuous: "good", paid: "good", active: "good", deployed: "good", allow: "good",
  rejected: "bad", failed: "bad", frozen: "bad", down: "bad", severe: "bad", high: "bad", halted: "bad", reverted: "bad", deny: "bad",
  suspended: "bad", expired: "bad",
  awaiting_funds: "warn", awaiting_approval: "warn", pending: "warn", medium: "warn", degraded: "warn", cancel_only: "warn",
  assigned: "warn", review: "warn",
  new: "busy", pending_new: "busy", partially_filled: "busy", funded: "busy", accepted: "busy", deploying: "busy", queued: "busy",
  running: "busy", instructed: "busy", burning: "busy", burned: "busy", registering: "busy", requested: "busy", investigating: "busy",
};

export function Badge({ state, label, tone }: { state: string; label?: string; tone?: Tone }) {
  return (
    <span
      className={cn(
        "inline-flex items-center rounded-sm border px-1.5 py-px text-xs leading-4",
        TONES[tone ?? STATES[state] ?? "quiet"],
      )}
    >
      {label ?? state.replaceAll("_", " ")}
    </span>
  );
}
