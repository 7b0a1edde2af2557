"use client";

import { usePolled } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { Badge } from "@/components/ui/badge";
import { queries } from "@/lib/use-queries";

/** One tile a service; asked again every few seconds, since a sick service does not ring. */
export function HealthScreen() {
  const health = usePolled({ ...queries.health(), staleTime: 0 }, 5_000);
  if (health.error) return <ProblemView error={health.error} />;
  return (
    <ul className="grid gap-3 sm:grid-cols-2 lg:grid-cols-3">
      {health.data?.services.map(({ service: name, status, detail, dependencies }) => (
        <li key={name} className="rounded-md border bg-panel p-3">
          <div className="flex items-center justify-between gap-2">
            <h2 className="font-medium">{name}</h2>
            <Badge state={status} />
          </div>
          <p className="mt-1 break-words text-xs text-muted">{detail || "No remarks."}</p>
          <Dependencies dependencies={dependencies} />
        </li>
      ))}
    </ul>
  );
}

/** What a service leans on, with the state it reported for each. */
function Dependencies({ dependencies }: { dependencies: Record<string, unknown> }) {
  const entries = Object.entries(dependencies);
  if (entries.length === 0) return null;
  return (
    <ul className="mt-2 flex flex-wrap gap-1 border-t pt-2">
      {entries.map(([name, value]) => {
        const state = (value as { status?: string } | null)?.status ?? "unknown";
        return (
          <li key={name}>
            <Badge state={state} label={`${name}: ${state}`} />
          </li>
        );
      })}
    </ul>
  );
}
