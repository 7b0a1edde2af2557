"use client";

import { usePolled } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { Badge } from "@/components/ui/badge";
import { Stat, Stats } from "@/components/ui/panel";
import { formatTime } from "@/lib/time";
import { queries } from "@/lib/use-queries";

/** The chain the platform follows: head, finality, and how far behind its readers are. */
export function ChainStatusLine() {
  const status = usePolled(queries.chainStatus(), 5_000);
  if (status.error) return <ProblemView error={status.error} />;
  if (!status.data) return null;
  const chain = status.data;
  return (
    <Stats>
      <Stat
        label={`Chain ${chain.chain_id}`}
        value={<Badge state={chain.status} />}
        note={`seen ${formatTime(chain.observed_at)} UTC`}
      />
      <Stat
        label="Head and final block"
        value={`${chain.head_number ?? "—"} / ${chain.finalized_number ?? "—"}`}
        note={`platform ${chain.platform}`}
      />
      <Stat
        label="Open operations"
        value={chain.open_operations}
        note={
          chain.dead_letters ? <span className="text-down">{chain.dead_letters} dead letters</span> : "no dead letters"
        }
      />
      <Stat
        label="Events taken in"
        value={`${chain.consumed_seq} of ${chain.event_seq}`}
        note={`${chain.scored_transfers} of ${chain.final_transfers} transfers scored`}
      />
    </Stats>
  );
}
