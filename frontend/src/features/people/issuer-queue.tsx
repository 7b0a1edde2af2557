"use client";

import { Id } from "@/components/cells";
import { type Column, DataTable } from "@/components/data-table";
import { usePolled } from "@/components/live-provider";
import { ReasonDialog } from "@/components/reason-dialog";
import { Badge } from "@/components/ui/badge";
import { api } from "@/lib/api";
import type { Issuer } from "@/lib/types";
import { useAct } from "@/lib/use-act";
import { queries } from "@/lib/use-queries";

const COLUMNS: readonly Column<Issuer>[] = [
  {
    header: "Issuer",
    value: (row) => row.legal_name,
    cell: (row) => <span className="font-medium">{row.legal_name}</span>,
  },
  { header: "Country", value: (row) => row.country },
  { header: "KYB", value: (row) => row.kyb_status, cell: (row) => <Badge state={row.kyb_status} /> },
  { header: "Id", value: (row) => row.issuer_id, cell: (row) => <Id value={row.issuer_id} /> },
];

export function IssuerQueue() {
  const issuers = usePolled(queries.issuers());
  return (
    <DataTable
      label="Issuers"
      query={issuers}
      columns={COLUMNS}
      rowId={(row) => row.issuer_id}
      empty="No issuer has registered yet."
      filterable
      actions={(row) => <Decide issuer={row} />}
    />
  );
}

function Decide({ issuer }: { issuer: Issuer }) {
  const { issuer_id, legal_name } = issuer;
  const approve = useAct(
    ({ reason }: { reason: string }) =>
      api.POST("/v1/issuers/{issuer_id}:approve-kyb", { params: { path: { issuer_id } }, body: { reason } }),
    { done: `${legal_name} approved`, quiet: true },
  );
  if (issuer.kyb_status !== "pending") return null;
  return (
    <ReasonDialog
      verb="Approve"
      title={`Approve KYB of ${legal_name}?`}
      effect="The issuer may create offerings. A custodial wallet is made for its proceeds."
      tone="primary"
      act={approve}
    />
  );
}
