"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Id, When } from "@/components/cells";
import { type Column, DataTable } from "@/components/data-table";
import { useLive, usePolled, useTopics } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { ReasonDialog } from "@/components/reason-dialog";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { SelectField, TextField } from "@/components/ui/field";
import { Panel } from "@/components/ui/panel";
import { api } from "@/lib/api";
import { formatMoney, formatUnits, isPositive, normalizeInput, parseDecimal } from "@/lib/decimal";
import { freshId } from "@/lib/ids";
import { formatDateTime } from "@/lib/time";
import type { Redemption } from "@/lib/types";
import { useAct } from "@/lib/use-act";
import { queries } from "@/lib/use-queries";

const COLUMNS: readonly Column<Redemption>[] = [
  { header: "Requested", value: (row) => row.created_at, cell: (row) => <When at={row.created_at} /> },
  { header: "Redemption", value: (row) => row.redemption_id, cell: (row) => <Id value={row.redemption_id} /> },
  { header: "Security", value: (row) => row.symbol },
  { header: "Investor", value: (row) => row.investor_name },
  { header: "Units", value: (row) => row.units, cell: (row) => formatUnits(row.units), numeric: true },
  { header: "Amount", value: (row) => row.amount, cell: (row) => formatMoney(row.amount, row.currency), numeric: true },
  { header: "State", value: (row) => row.status, cell: (row) => <Badge state={row.status} /> },
];

/** An investor's requests and the form for a new one. */
export function RedemptionsScreen() {
  return (
    <div className="grid gap-4 lg:grid-cols-[20rem_minmax(0,1fr)]">
      <Panel title="Redeem units" className="self-start">
        <RedeemForm />
      </Panel>
      <Table empty="You have not redeemed anything yet." />
    </div>
  );
}

/** The transfer agent's queue. */
export function RedemptionApprovals() {
  return <Table empty="No redemption is waiting." decides />;
}

function Table({ empty, decides }: { empty: string; decides?: boolean }) {
  useTopics("portfolio", "chain");
  const redemptions = usePolled(queries.redemptions());
  return (
    <DataTable
      label="Redemptions"
      query={redemptions}
      columns={COLUMNS}
      rowId={(row) => row.redemption_id}
      empty={empty}
      filterable
      actions={(row) => (
        <>
          {row.status === "paid" || row.status === "closed" ? <StatementButton redemption={row} /> : null}
          {decides ? <Decide redemption={row} /> : null}
        </>
      )}
    />
  );
}

function Decide({ redemption }: { redemption: Redemption }) {
  const { redemption_id, units, symbol, amount, currency, investor_name } = redemption;
  const params = { path: { redemption_id } };
  const approve = useAct(
    ({ reason }: { reason: string }) =>
      api.POST("/v1/redemptions/{redemption_id}:approve", { params, body: { reason } }),
    { done: "Approved; the units are being burned", quiet: true },
  );
  const reject = useAct(
    ({ reason }: { reason: string }) =>
      api.POST("/v1/redemptions/{redemption_id}:reject", { params, body: { reason } }),
    { done: "Rejected; the units are free again", quiet: true },
  );
  if (redemption.status !== "requested" && redemption.status !== "awaiting_approval") return null;
  return (
    <>
      <ReasonDialog
        verb="Approve"
        title={`Approve redeeming ${formatUnits(units)} ${symbol}?`}
        effect={`On chain: the units of ${investor_name} are burned, then ${formatMoney(amount, currency)} is paid out. This cannot be undone.`}
        tone="primary"
        act={approve}
      />
      <ReasonDialog
        verb="Reject"
        title={`Reject the redemption of ${investor_name}?`}
        effect="The reserved units are released. Nothing happens on chain."
        tone="danger"
        act={reject}
      />
    </>
  );
}

function RedeemForm() {
  const portfolio = useLive(queries.portfolio());
  const holdings = portfolio.data?.holdings ?? [];
  const [chosen, setChosen] = useState("");
  const [units, setUnits] = useState("");
  const [key, setKey] = useState(freshId);
  const request = useAct(
    (body: { offering_id: string; units: string }) =>
      api.POST("/v1/redemptions", { body, headers: { "Idempotency-Key": key } }),
    { done: "Redemption requested", quiet: true },
  );
  const holding = holdings.find(({ offering_id }) => offering_id === chosen) ?? holdings[0];
  const wanted = normalizeInput(units);
  const valid = holding !== undefined && isPositive(wanted) && parseDecimal(wanted)?.scale === 0;
  const change = (text: string) => {
    setUnits(text);
    setKey(freshId());
  };
  return (
    <form
      className="space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (valid) request.mutate({ offering_id: holding.offering_id, units: wanted }, { onSuccess: () => change("") });
      }}
    >
      <SelectField
        label="Security"
        value={holding?.offering_id ?? ""}
        onChange={(event) => setChosen(event.target.value)}
        disabled={!holding}
      >
        {holdings.map(({ offering_id, symbol, available_units }) => (
          <option key={offering_id} value={offering_id}>
            {symbol}, {formatUnits(available_units)} available
          </option>
        ))}
        {holding ? null : <option value="">No holdings</option>}
      </SelectField>
      <TextField
        label="Units"
        inputMode="numeric"
        required
        value={units}
        onChange={(event) => change(event.target.value)}
        error={units && !valid ? "Units must be a whole number above zero." : undefined}
        hint="The transfer agent approves; then units are burned on chain and cash is paid."
      />
      {request.error ? <ProblemView error={request.error} /> : null}
      <Button type="submit" tone="primary" className="w-full" disabled={!valid || request.isPending}>
        {request.isPending ? "Sending…" : "Request redemption"}
      </Button>
    </form>
  );
}

/** What the investor keeps: units destroyed, money paid, and the operations that prove both. */
function StatementButton({ redemption }: { redemption: Redemption }) {
  const [open, setOpen] = useState(false);
  const statement = useQuery({ ...queries.statement(redemption.redemption_id), enabled: open });
  const rows = statement.data
    ? [
        ["Investor", statement.data.investor_name],
        ["Units burned", `${formatUnits(statement.data.units)} ${statement.data.symbol}`],
        ["Price", formatMoney(statement.data.price, statement.data.currency)],
        ["Paid", formatMoney(statement.data.amount, statement.data.currency)],
        ["Requested", formatDateTime(statement.data.requested_at)],
        ["Burned", formatDateTime(statement.data.burned_at)],
        ["Paid at", formatDateTime(statement.data.paid_at)],
        ["Burn operation", statement.data.burn_operation_id],
        ["Payout operation", statement.data.payout_operation_id],
      ]
    : [];
  return (
    <>
      <Button size="sm" onClick={() => setOpen(true)} aria-label={`Statement of ${redemption.redemption_id}`}>
        Statement
      </Button>
      <Dialog open={open} onOpenChange={setOpen} title="Redemption statement" description={redemption.redemption_id}>
        {statement.error ? <ProblemView error={statement.error} /> : null}
        <dl className="grid grid-cols-[9rem_minmax(0,1fr)] gap-y-1">
          {rows.map(([name, value]) => (
            <div key={name} className="contents">
              <dt className="text-muted">{name}</dt>
              <dd className="break-all">{value}</dd>
            </div>
          ))}
        </dl>
      </Dialog>
    </>
  );
}
