"use client";

import { useLive } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { Badge } from "@/components/ui/badge";
import { Stat, Stats } from "@/components/ui/panel";
import { formatTime } from "@/lib/time";
import { queries } from "@/lib/use-queries";

/** The chains the platform follows: head, finality, and when they were last seen. */
export function ChainStatusLine() {
  const status = useLive(queries.chainStatus(), 5_000);
  if (status.error) return <ProblemView error={status.error} />;
  return status.data?.data.map((chain) => (
    <Stats key={chain.chain_id}>
      <Stat label={`Chain ${chain.chain_id}`} value={<Badge state={chain.status} />} />
      <Stat label="Head block" value={String(chain.head_number)} />
      <Stat label="Final block" value={String(chain.finalized_number)} />
      <Stat label="Seen, UTC" value={formatTime(chain.observed_at)} />
    </Stats>
  ));
}
