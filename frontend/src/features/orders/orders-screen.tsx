"use client";

import { useState } from "react";
import { DataTable } from "@/components/data-table";
import { useLive, useTopics } from "@/components/live-provider";
import { Button } from "@/components/ui/button";
import { queries } from "@/lib/use-queries";
import { CancelButton } from "./cancel-button";
import { BLOTTER_COLUMNS, EXECUTION_COLUMNS, ORDER_COLUMNS } from "./columns";

/** One's own orders and fills. */
export function OrdersScreen() {
  useTopics("orders");
  const executions = useLive(queries.executions(), 5_000);
  return (
    <div className="space-y-4">
      <OrdersTable own />
      <DataTable
        label="Fills"
        query={executions}
        columns={EXECUTION_COLUMNS}
        rowId={(row) => row.fill_id + row.order_id}
        empty="No fills yet."
        filterable
      />
    </div>
  );
}

/** Everyone's orders, for the desks that may see them. */
export function BlotterScreen() {
  useTopics("orders");
  return <OrdersTable />;
}

function OrdersTable({ own = false }: { own?: boolean }) {
  const [openOnly, setOpenOnly] = useState(false);
  const [cursor, setCursor] = useState<string>();
  const orders = useLive(queries.orders({ ...(openOnly ? { status: "open" } : {}), cursor }), 5_000);
  const choose = (open: boolean) => {
    setCursor(undefined);
    setOpenOnly(open);
  };
  return (
    <DataTable
      label="Orders"
      query={orders}
      columns={own ? ORDER_COLUMNS : BLOTTER_COLUMNS}
      rowId={(row) => row.order_id}
      empty={openOnly ? "No open orders." : "No orders yet."}
      filterable
      toolbar={
        <fieldset className="flex gap-1">
          <legend className="sr-only">Which orders</legend>
          {[false, true].map((open) => (
            <Button
              key={String(open)}
              size="sm"
              tone={open === openOnly ? "outline" : "ghost"}
              aria-pressed={open === openOnly}
              onClick={() => choose(open)}
            >
              {open ? "Open" : "All"}
            </Button>
          ))}
        </fieldset>
      }
      actions={own ? (row) => <CancelButton order={row} /> : undefined}
      pager={{ onFirst: cursor ? () => setCursor(undefined) : undefined, onNext: setCursor }}
    />
  );
}
