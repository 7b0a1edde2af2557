"use client";

import { useState } from "react";
import { FilterSelect } from "@/components/ui/field";
import type { SettlementStatus } from "@/lib/queries";
import { SettlementsTable } from "./settlements-table";

export function SettlementsScreen() {
  const [status, setStatus] = useState<SettlementStatus | "">("");
  return (
    <SettlementsTable
      key={status}
      status={status}
      empty="No settlements in this state."
      toolbar={
        <FilterSelect
          label="State"
          value={status}
          onChange={(event) => setStatus(event.target.value as SettlementStatus | "")}
        >
          <option value="">All</option>
          <option value="pending">Pending</option>
          <option value="instructed">Instructed</option>
          <option value="settled">Settled</option>
          <option value="failed">Failed</option>
        </FilterSelect>
      }
    />
  );
}
