"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Id, When } from "@/components/cells";
import { type Column, DataTable } from "@/components/data-table";
import { usePolled } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { Button } from "@/components/ui/button";
import { api, unwrap } from "@/lib/api";
import type { AuditEvent, AuditVerification } from "@/lib/types";
import { queries } from "@/lib/use-queries";

const COLUMNS: readonly Column<AuditEvent>[] = [
  { header: "Time", value: (row) => row.occurred_at, cell: (row) => <When at={row.occurred_at} /> },
  { header: "Action", value: (row) => row.action, cell: (row) => <span className="font-medium">{row.action}</span> },
  { header: "Actor", value: (row) => row.actor, cell: (row) => <Id value={row.actor} /> },
  { header: "Subject", value: (row) => row.subject_id, cell: (row) => <Id value={row.subject_id} /> },
];

/** Who did what: written once, never changed. */
export function AuditScreen() {
  const [subject, setSubject] = useState("");
  const [asked, setAsked] = useState("");
  const [cursor, setCursor] = useState<string>();
  const events = usePolled(queries.auditEvents({ ...(asked ? { subject_id: asked } : {}), cursor }), 15_000);
  return (
    <div className="space-y-4">
      <Verify />
      <DataTable
        label="Audit events"
        query={events}
        columns={COLUMNS}
        rowId={(row) => String(row.event_id)}
        empty={asked ? "Nothing is recorded about this subject." : "Nothing is recorded yet."}
        filterable
        toolbar={
          <form
            className="flex gap-1"
            onSubmit={(event) => {
              event.preventDefault();
              setCursor(undefined);
              setAsked(subject.trim());
            }}
          >
            <input
              aria-label="Subject id"
              placeholder="Subject id, e.g. ord_…"
              value={subject}
              onChange={(event) => setSubject(event.target.value)}
              className="h-7 w-52 rounded border bg-bg px-2 font-mono text-xs"
            />
            <Button size="sm" type="submit">
              Show
            </Button>
          </form>
        }
        pager={{ onFirst: cursor ? () => setCursor(undefined) : undefined, onNext: setCursor }}
      />
    </div>
  );
}

/** Has the api compute every hash of the trail again, on request: it reads the whole trail. */
function Verify() {
  const verification = useQuery<AuditVerification, unknown>({
    queryKey: ["audit verification"],
    queryFn: () => unwrap(api.GET("/v1/audit/verification")),
    enabled: false,
    gcTime: 0,
  });
  return (
    <div className="flex flex-wrap items-center gap-3">
      <Button disabled={verification.isFetching} onClick={() => verification.refetch()}>
        {verification.isFetching ? "Computing…" : "Verify the trail"}
      </Button>
      {verification.error ? <ProblemView error={verification.error} /> : null}
      {verification.data ? (
        <p role="status" className={verification.data.ok ? "text-up" : "text-down"}>
          {verification.data.ok
            ? `Intact: ${verification.data.events} events under ${verification.data.seals} seals, ${verification.data.unsealed} not sealed yet.`
            : `Broken: ${JSON.stringify(verification.data.broken)}`}
        </p>
      ) : null}
    </div>
  );
}
