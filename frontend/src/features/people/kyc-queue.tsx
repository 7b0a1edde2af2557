"use client";

import { useState } from "react";
import { DataTable } from "@/components/data-table";
import { usePolled, useTopics } from "@/components/live-provider";
import { ReasonDialog } from "@/components/reason-dialog";
import { FilterSelect } from "@/components/ui/field";
import { api } from "@/lib/api";
import type { KycStatus } from "@/lib/queries";
import type { Investor } from "@/lib/types";
import { useAct } from "@/lib/use-act";
import { queries } from "@/lib/use-queries";
import { INVESTOR_COLUMNS } from "./investor-columns";

/** Investors waiting for a decision, and those already decided. */
export function KycQueue() {
  useTopics("chain");
  const [status, setStatus] = useState<KycStatus | "">("pending");
  const investors = usePolled(queries.investors(status || undefined));
  return (
    <DataTable
      label="Investors"
      query={investors}
      columns={INVESTOR_COLUMNS}
      rowId={(row) => row.investor_id}
      empty={
        status === "pending"
          ? "The queue is empty: nobody is waiting for a KYC decision."
          : "No investors in this state."
      }
      filterable
      toolbar={
        <FilterSelect
          label="KYC state"
          value={status}
          onChange={(event) => setStatus(event.target.value as KycStatus | "")}
        >
          <option value="pending">Pending</option>
          <option value="approved">Approved</option>
          <option value="rejected">Rejected</option>
          <option value="expired">Expired</option>
          <option value="">All</option>
        </FilterSelect>
      }
      actions={(row) => <Decide investor={row} />}
    />
  );
}

/** Everyone, to look up; no decisions. */
export function InvestorList() {
  useTopics("chain");
  const investors = usePolled(queries.investors());
  return (
    <DataTable
      label="Investors"
      query={investors}
      columns={INVESTOR_COLUMNS}
      rowId={(row) => row.investor_id}
      empty="No investors yet."
      filterable
    />
  );
}

interface Reasoned {
  reason: string;
}

function Decide({ investor }: { investor: Investor }) {
  const { investor_id, legal_name, kyc_status, frozen } = investor;
  const params = { path: { investor_id } };
  const approve = useAct(
    ({ reason }: Reasoned) => api.POST("/v1/investors/{investor_id}:approve-kyc", { params, body: { reason } }),
    {
      done: `${legal_name} approved; registering the wallet on chain`,
      quiet: true,
    },
  );
  const reject = useAct(
    ({ reason }: Reasoned) => api.POST("/v1/investors/{investor_id}:reject-kyc", { params, body: { reason } }),
    {
      done: `${legal_name} rejected`,
      quiet: true,
    },
  );
  const freeze = useAct(
    ({ reason }: Reasoned) => api.POST("/v1/investors/{investor_id}:freeze", { params, body: { reason } }),
    {
      done: `${legal_name} frozen`,
      quiet: true,
    },
  );
  const unfreeze = useAct(
    ({ reason }: Reasoned) => api.POST("/v1/investors/{investor_id}:unfreeze", { params, body: { reason } }),
    {
      done: `${legal_name} unfrozen`,
      quiet: true,
    },
  );
  if (kyc_status === "pending") {
    return (
      <>
        <ReasonDialog
          verb="Approve"
          title={`Approve KYC of ${legal_name}?`}
          effect="A custodial wallet is made. On chain: an identity with a KYC claim is deployed and the wallet enters the register, so that it may hold tokens."
          tone="primary"
          act={approve}
        />
        <ReasonDialog
          verb="Reject"
          title={`Reject KYC of ${legal_name}?`}
          effect="The investor may not subscribe or trade. Nothing happens on chain."
          tone="danger"
          act={reject}
        />
      </>
    );
  }
  if (kyc_status !== "approved") return null;
  return frozen ? (
    <ReasonDialog
      verb="Unfreeze"
      title={`Unfreeze ${legal_name}?`}
      effect="Orders and transfers are possible again."
      act={unfreeze}
    />
  ) : (
    <ReasonDialog
      verb="Freeze"
      title={`Freeze ${legal_name}?`}
      effect="Open orders are withdrawn and new ones refused. On chain: transfers of this wallet are blocked."
      tone="danger"
      act={freeze}
    />
  );
}
