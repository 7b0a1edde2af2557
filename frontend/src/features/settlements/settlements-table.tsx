"use client";

import { type ReactNode, useState } from "react";
import { Id, When } from "@/components/cells";
import { type Column, DataTable } from "@/components/data-table";
import { useLive, useTopics } from "@/components/live-provider";
import { Badge } from "@/components/ui/badge";
import { formatMoney, formatUnits } from "@/lib/decimal";
import type { SettlementStatus } from "@/lib/queries";
import type { Settlement } from "@/lib/types";
import { queries } from "@/lib/use-queries";

const COLUMNS: readonly Column<Settlement>[] = [
  { header: "Created", value: (row) => row.created_at, cell: (row) => <When at={row.created_at} /> },
  { header: "Settlement", value: (row) => row.settlement_id, cell: (row) => <Id value={row.settlement_id} /> },
  { header: "State", value: (row) => row.status, cell: (row) => <Badge state={row.status} /> },
  { header: "Units", value: (row) => row.units, cell: (row) => formatUnits(row.units), numeric: true },
  { header: "Amount", value: (row) => row.amount, cell: (row) => formatMoney(row.amount), numeric: true },
  { header: "Seller", value: (row) => row.seller_id, cell: (row) => <Id value={row.seller_id} /> },
  { header: "Buyer", value: (row) => row.buyer_id, cell: (row) => <Id value={row.buyer_id} /> },
  { header: "Transaction", value: (row) => row.tx_hash, cell: (row) => <Id value={row.tx_hash} /> },
  { header: "Settled", value: (row) => row.settled_at, cell: (row) => <When at={row.settled_at} /> },
  { header: "Failure", value: (row) => row.failure_reason, cell: (row) => row.failure_reason || "—" },
];

/** Fills on their way to the chain; the api shows each person the ones that are theirs to see. */
export function SettlementsTable({
  status,
  empty,
  toolbar,
}: {
  status?: SettlementStatus | "";
  empty: string;
  toolbar?: ReactNode;
}) {
  useTopics("settlements");
  const [cursor, setCursor] = useState<string>();
  const settlements = useLive(queries.settlements({ ...(status ? { status } : {}), cursor }), 10_000);
  return (
    <DataTable
      label="Settlements"
      query={settlements}
      columns={COLUMNS}
      rowId={(row) => row.settlement_id}
      empty={empty}
      toolbar={toolbar}
      filterable
      pager={{ onFirst: cursor ? () => setCursor(undefined) : undefined, onNext: setCursor }}
    />
  );
}
