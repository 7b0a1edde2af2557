"use client";

import { Id, When } from "@/components/cells";
import { type Column, DataTable } from "@/components/data-table";
import { usePolled, useTopics } from "@/components/live-provider";
import { ReasonDialog } from "@/components/reason-dialog";
import { Badge } from "@/components/ui/badge";
import { api } from "@/lib/api";
import { formatMoney, formatUnits } from "@/lib/decimal";
import type { Subscription } from "@/lib/types";
import { useAct } from "@/lib/use-act";
import { queries } from "@/lib/use-queries";

const COLUMNS: readonly Column<Subscription>[] = [
  { header: "Received", value: (row) => row.created_at, cell: (row) => <When at={row.created_at} /> },
  { header: "Subscription", value: (row) => row.subscription_id, cell: (row) => <Id value={row.subscription_id} /> },
  { header: "Security", value: (row) => row.symbol },
  { header: "Investor", value: (row) => row.investor_name },
  { header: "Units", value: (row) => row.units, cell: (row) => formatUnits(row.units), numeric: true },
  { header: "Amount", value: (row) => row.amount, cell: (row) => formatMoney(row.amount, row.currency), numeric: true },
  { header: "State", value: (row) => row.status, cell: (row) => <Badge state={row.status} /> },
];

export function SubscriptionsScreen({ decides }: { decides: boolean }) {
  useTopics("settlements", "chain");
  const subscriptions = usePolled(queries.subscriptions(), 5_000);
  return (
    <DataTable
      label="Subscriptions"
      query={subscriptions}
      columns={COLUMNS}
      rowId={(row) => row.subscription_id}
      empty={decides ? "Nobody has subscribed yet." : "You have not subscribed to an offering yet."}
      filterable
      actions={decides ? (row) => <Decide subscription={row} /> : undefined}
    />
  );
}

function Decide({ subscription }: { subscription: Subscription }) {
  const { subscription_id, units, symbol, investor_name } = subscription;
  const params = { path: { subscription_id } };
  const accept = useAct(() => api.POST("/v1/subscriptions/{subscription_id}:accept", { params }), {
    done: "Accepted; issuing on chain",
    quiet: true,
  });
  const reject = useAct(() => api.POST("/v1/subscriptions/{subscription_id}:reject", { params }), {
    done: "Rejected; the cash is free again",
    quiet: true,
  });
  if (subscription.status !== "funded" && subscription.status !== "awaiting_funds") return null;
  return (
    <>
      {subscription.status === "funded" ? (
        <ReasonDialog
          verb="Accept"
          title={`Accept ${formatUnits(units)} ${symbol} for ${investor_name}?`}
          effect="On chain: the cash moves to your account and the units are minted to the investor's wallet. This cannot be undone."
          tone="primary"
          withoutReason
          act={accept}
        />
      ) : null}
      <ReasonDialog
        verb="Reject"
        title={`Reject the subscription of ${investor_name}?`}
        effect="The reserved cash is released. Nothing happens on chain."
        tone="danger"
        withoutReason
        act={reject}
      />
    </>
  );
}
