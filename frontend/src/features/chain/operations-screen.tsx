"use client";

import { useState } from "react";
import { Id, When } from "@/components/cells";
import { type Column, DataTable } from "@/components/data-table";
import { useLive, useTopics } from "@/components/live-provider";
import { ReasonDialog } from "@/components/reason-dialog";
import { Badge } from "@/components/ui/badge";
import { SelectField } from "@/components/ui/field";
import { Panel } from "@/components/ui/panel";
import { api } from "@/lib/api";
import type { Operation } from "@/lib/types";
import { useAct } from "@/lib/use-act";
import { queries } from "@/lib/use-queries";
import { ChainStatusLine } from "./chain-status";

const COLUMNS: readonly Column<Operation>[] = [
  { header: "Queued", value: (row) => row.created_at, cell: (row) => <When at={row.created_at} /> },
  { header: "Operation", value: (row) => row.operation_id, cell: (row) => <Id value={row.operation_id} /> },
  { header: "Kind", value: (row) => row.kind, cell: (row) => <span className="font-medium">{row.kind}</span> },
  {
    header: "For",
    value: (row) => row.business_ref,
    cell: (row) => <span className="font-mono text-xs">{shortRef(row.business_ref)}</span>,
  },
  { header: "State", value: (row) => row.state, cell: (row) => <Badge state={row.state} /> },
  {
    header: "Error",
    value: (row) => [row.error_code, row.error_detail].filter(Boolean).join(": "),
    cell: (row) => <Failure operation={row} />,
  },
  { header: "Updated", value: (row) => row.updated_at, cell: (row) => <When at={row.updated_at} /> },
];

function shortRef(reference: string): string {
  const [noun = "", id = "", ...rest] = reference.split(":");
  return [noun, id.length > 14 ? `${id.slice(0, 4)}…${id.slice(-4)}` : id, ...rest].filter(Boolean).join(":");
}

function Failure({ operation }: { operation: Operation }) {
  if (!operation.error_code) return "—";
  return (
    <span className="text-down" title={operation.error_detail ?? undefined}>
      {operation.error_code}
    </span>
  );
}

export function OperationsScreen() {
  useTopics("chain");
  const [state, setState] = useState("");
  const [cursor, setCursor] = useState<string>();
  const operations = useLive(queries.operations({ ...(state ? { state } : {}), cursor }), 5_000);
  const choose = (next: string) => {
    setCursor(undefined);
    setState(next);
  };
  return (
    <div className="space-y-4">
      <ChainStatusLine />
      <Panel title="Operations" flush>
        <DataTable
          label="Chain operations"
          query={operations}
          columns={COLUMNS}
          rowId={(row) => row.operation_id}
          empty="No operations in this state."
          filterable
          toolbar={
            <SelectField
              label="State"
              value={state}
              onChange={(event) => choose(event.target.value)}
              className="h-7 w-32 text-xs"
            >
              <option value="">All</option>
              <option value="queued">Queued</option>
              <option value="running">Running</option>
              <option value="final">Final</option>
              <option value="failed">Failed</option>
            </SelectField>
          }
          pager={{ onFirst: cursor ? () => setCursor(undefined) : undefined, onNext: setCursor }}
        />
      </Panel>
    </div>
  );
}

export function DeployPlatform() {
  const act = useAct(() => api.POST("/v1/chain/platform:deploy"), { done: "Platform deployment queued", quiet: true });
  return (
    <ReasonDialog
      verb="Deploy platform"
      title="Deploy the platform contracts?"
      effect="On chain: the ERC-3643 factory, the identity registry, the claim issuer, the test stablecoin and the settlement contract. When they are there already, nothing happens."
      tone="primary"
      withoutReason
      act={act}
    />
  );
}
