"use client";

import { useState } from "react";
import { SelectField } from "@/components/ui/field";
import { Panel } from "@/components/ui/panel";
import { SettlementsTable } from "./settlements-table";

export function SettlementsScreen() {
  const [status, setStatus] = useState("");
  return (
    <Panel title="Fills and their settlement" flush>
      <SettlementsTable
        key={status}
        status={status}
        empty="No settlements in this state."
        toolbar={
          <SelectField
            label="State"
            value={status}
            onChange={(event) => setStatus(event.target.value)}
            className="h-7 w-36 text-xs"
          >
            <option value="">All</option>
            <option value="pending">Pending</option>
            <option value="instructed">Instructed</option>
            <option value="settled">Settled</option>
            <option value="failed">Failed</option>
          </SelectField>
        }
      />
    </Panel>
  );
}
