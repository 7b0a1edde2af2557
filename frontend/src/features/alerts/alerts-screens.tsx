"use client";

import { useState } from "react";
import { Id, When } from "@/components/cells";
import { type Column, DataTable } from "@/components/data-table";
import { useLive, useTopics } from "@/components/live-provider";
import { Badge } from "@/components/ui/badge";
import { FilterSelect } from "@/components/ui/field";
import type { AlertStatus } from "@/lib/queries";
import type { KytAlert, SurveillanceAlert } from "@/lib/types";
import { queries } from "@/lib/use-queries";
import { AlertActions } from "./alert-actions";

const SEVERITIES = ["low", "medium", "high", "severe"];

interface AnyAlert {
  alert_id: string;
  severity: string;
  status: string;
  outcome?: string | null;
  title: string;
  raised_at: string;
  assigned_to?: string | null;
}

const raised = <Row extends AnyAlert>(): Column<Row>[] => [
  { header: "Raised", value: (row) => row.raised_at, cell: (row) => <When at={row.raised_at} /> },
  {
    header: "Severity",
    value: (row) => `${SEVERITIES.indexOf(row.severity)} ${row.severity}`,
    cell: (row) => <Badge state={row.severity} />,
  },
  {
    header: "State",
    value: (row) => row.status,
    cell: (row) => (
      <Badge
        state={row.status}
        label={row.outcome ? `${row.status}: ${row.outcome.replaceAll("_", " ")}` : undefined}
        tone={row.status === "open" ? "bad" : undefined}
      />
    ),
  },
  {
    header: "What",
    value: (row) => row.title,
    cell: (row) => <span className="block min-w-52 whitespace-normal">{row.title}</span>,
  },
];
const assigned = <Row extends AnyAlert>(): Column<Row> => ({
  header: "Assigned",
  value: (row) => row.assigned_to,
  cell: (row) => <Id value={row.assigned_to} />,
});

const KYT_COLUMNS: readonly Column<KytAlert>[] = [
  ...raised<KytAlert>(),
  { header: "Kind", value: (row) => row.kind },
  { header: "Facts", value: (row) => JSON.stringify(row.facts), cell: (row) => <Facts facts={row.facts} /> },
  assigned<KytAlert>(),
];

const SURVEILLANCE_COLUMNS: readonly Column<SurveillanceAlert>[] = [
  ...raised<SurveillanceAlert>(),
  { header: "Detector", value: (row) => row.detector },
  { header: "Executions", value: (row) => `${row.from_seq} to ${row.to_seq}` },
  { header: "Metrics", value: (row) => JSON.stringify(row.metrics), cell: (row) => <Facts facts={row.metrics} /> },
  assigned<SurveillanceAlert>(),
];

/** The numbers and names an alert rests on, folded away until asked for. */
function Facts({ facts }: { facts: Record<string, unknown> }) {
  const entries = Object.entries(facts);
  if (entries.length === 0) return "—";
  return (
    <details>
      <summary className="min-h-6 text-xs text-accent">
        {entries.length === 1 ? "1 fact" : `${entries.length} facts`}
      </summary>
      <dl className="mt-1 grid w-80 grid-cols-[7rem_minmax(0,1fr)] gap-x-3 gap-y-0.5 whitespace-normal text-xs">
        {entries.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name.replaceAll("_", " ")}</dt>
            <dd className="break-all font-mono">{typeof value === "object" ? JSON.stringify(value) : String(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function StatusSelect({
  status,
  setStatus,
}: {
  status: AlertStatus | "";
  setStatus: (status: AlertStatus | "") => void;
}) {
  return (
    <FilterSelect label="State" value={status} onChange={(event) => setStatus(event.target.value as AlertStatus | "")}>
      <option value="">All</option>
      <option value="open">Open</option>
      <option value="assigned">Assigned</option>
      <option value="closed">Closed</option>
    </FilterSelect>
  );
}

export function KytAlerts() {
  useTopics("alerts");
  const [status, setStatus] = useState<AlertStatus | "">("");
  const alerts = useLive(queries.kytAlerts(status || undefined), 5_000);
  return (
    <DataTable
      label="Transaction alerts"
      query={alerts}
      columns={KYT_COLUMNS}
      rowId={(row) => row.alert_id}
      empty="No alerts. Every transfer is scored as it becomes final on chain."
      filterable
      toolbar={<StatusSelect status={status} setStatus={setStatus} />}
      actions={(row) => <AlertActions kind="kyt" alertId={row.alert_id} status={row.status} />}
    />
  );
}

/** `decides` is false at desks that may look but not close. */
export function SurveillanceAlerts({ decides }: { decides: boolean }) {
  useTopics("alerts");
  const [status, setStatus] = useState<AlertStatus | "">("");
  const alerts = useLive(queries.surveillanceAlerts(status || undefined), 5_000);
  return (
    <DataTable
      label="Surveillance alerts"
      query={alerts}
      columns={SURVEILLANCE_COLUMNS}
      rowId={(row) => row.alert_id}
      empty="No alerts. Every order and fill is watched for market abuse."
      filterable
      toolbar={<StatusSelect status={status} setStatus={setStatus} />}
      actions={
        decides ? (row) => <AlertActions kind="surveillance" alertId={row.alert_id} status={row.status} /> : undefined
      }
    />
  );
}
