"use client";

import { useState } from "react";
import { Id, When } from "@/components/cells";
import { type Column, DataTable } from "@/components/data-table";
import { useLive, useTopics } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { TextField } from "@/components/ui/field";
import { Panel } from "@/components/ui/panel";
import { api } from "@/lib/api";
import { formatMoney, isPositive, normalizeInput, parseDecimal } from "@/lib/decimal";
import { freshId } from "@/lib/ids";
import type { Payment } from "@/lib/types";
import { useAct } from "@/lib/use-act";
import { queries } from "@/lib/use-queries";

const COLUMNS: readonly Column<Payment>[] = [
  { header: "Created", value: (row) => row.created_at, cell: (row) => <When at={row.created_at} /> },
  { header: "Payment", value: (row) => row.payment_id, cell: (row) => <Id value={row.payment_id} /> },
  { header: "Direction", value: (row) => row.direction },
  { header: "Amount", value: (row) => row.amount, cell: (row) => formatMoney(row.amount, row.currency), numeric: true },
  { header: "State", value: (row) => row.status, cell: (row) => <Badge state={row.status} /> },
];

export function PaymentsScreen() {
  useTopics("portfolio", "chain");
  const payments = useLive(queries.payments(), 5_000);
  return (
    <div className="grid gap-4 lg:grid-cols-[20rem_minmax(0,1fr)]">
      <Panel title="Deposit" className="self-start">
        <DepositForm />
      </Panel>
      <DataTable
        label="Payments"
        query={payments}
        columns={COLUMNS}
        rowId={(row) => row.payment_id}
        empty="No payments yet."
      />
    </div>
  );
}

/** A new amount is a new request; the same amount sent twice is the same one until it was answered. */
function DepositForm() {
  const [amount, setAmount] = useState("");
  const [key, setKey] = useState(freshId);
  const deposit = useAct(
    (body: { direction: "deposit"; amount: string; currency: "USD" }) =>
      api.POST("/v1/payments", { body, headers: { "Idempotency-Key": key } }),
    { done: "Deposit on its way", quiet: true },
  );
  const wanted = normalizeInput(amount);
  const valid = isPositive(wanted) && (parseDecimal(wanted)?.scale ?? 9) <= 2;
  const change = (text: string) => {
    setAmount(text);
    setKey(freshId());
  };
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (valid)
          deposit.mutate({ direction: "deposit", amount: wanted, currency: "USD" }, { onSuccess: () => change("") });
      }}
    >
      <TextField
        label="Amount in USD"
        inputMode="decimal"
        required
        value={amount}
        onChange={(event) => change(event.target.value)}
        error={amount && !valid ? "An amount above zero with at most two decimals." : undefined}
        hint="Sandbox bank: money arrives within a second, and is not real."
      />
      {deposit.error ? <ProblemView error={deposit.error} /> : null}
      <Button type="submit" tone="primary" className="w-full" disabled={!valid || deposit.isPending}>
        {deposit.isPending ? "Sending…" : "Deposit"}
      </Button>
    </form>
  );
}
