"use client";

import { useState } from "react";
import { Id, When } from "@/components/cells";
import { type Column, DataTable } from "@/components/data-table";
import { useLive, useTopics } from "@/components/live-provider";
import { ReasonDialog } from "@/components/reason-dialog";
import { Badge } from "@/components/ui/badge";
import { FilterSelect } from "@/components/ui/field";
import { api } from "@/lib/api";
import type { OperationState } from "@/lib/queries";
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
  {
    header: "Transaction",
    value: (row) => row.tx_hashes.join(" "),
    cell: (row) => <Transactions hashes={row.tx_hashes} />,
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

function Transactions({ hashes }: { hashes: readonly string[] }) {
  const last = hashes.at(-1);
  if (!last) return "—";
  return (
    <>
      <Id value={last} />{" "}
      {hashes.length > 1 ? <span className="text-xs text-muted">and {hashes.length - 1} more</span> : null}
    </>
  );
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
  const [state, setState] = useState<OperationState | "">("");
  const [cursor, setCursor] = useState<string>();
  const operations = useLive(queries.operations({ ...(state ? { state } : {}), cursor }), 5_000);
  const choose = (next: OperationState | "") => {
    setCursor(undefined);
    setState(next);
  };
  return (
    <div className="space-y-4">
      <ChainStatusLine />
      <DataTable
        label="Chain operations"
        query={operations}
        columns={COLUMNS}
        rowId={(row) => row.operation_id}
        empty="No operations in this state."
        filterable
        toolbar={
          <FilterSelect
            label="State"
            value={state}
            onChange={(event) => choose(event.target.value as OperationState | "")}
          >
            <option value="">All</option>
            <option value="queued">Queued</option>
            <option value="running">Running</option>
            <option value="final">Final</option>
            <option value="failed">Failed</option>
          </FilterSelect>
        }
        pager={{ onFirst: cursor ? () => setCursor(undefined) : undefined, onNext: setCursor }}
      />
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
