"use client";

import { useState } from "react";
import { Id } from "@/components/cells";
import { type Column, DataTable } from "@/components/data-table";
import { useLive, useTopics } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { Badge } from "@/components/ui/badge";
import { SelectField } from "@/components/ui/field";
import { Stat, Stats } from "@/components/ui/panel";
import { add, compareDecimals, formatDecimal, formatUnits, subtract } from "@/lib/decimal";
import type { Holder } from "@/lib/types";
import { queries } from "@/lib/use-queries";

/** What the ledger expects on chain: everything but what is still in flight. The difference must be zero. */
function difference({ ledger_units, in_flight_units, on_chain_units }: Holder): string {
  return subtract(add(on_chain_units, in_flight_units), ledger_units);
}

const HOLDER_COLUMNS: readonly Column<Holder>[] = [
  {
    header: "Holder",
    value: (row) => row.legal_name,
    cell: (row) => <span className="font-medium">{row.legal_name}</span>,
  },
  { header: "Country", value: (row) => row.country },
  { header: "Wallet", value: (row) => row.address, cell: (row) => <Id value={row.address} /> },
  { header: "Units", value: (row) => row.ledger_units, cell: (row) => formatUnits(row.ledger_units), numeric: true },
  { header: "Share %", value: (row) => row.share_pct, cell: (row) => formatDecimal(row.share_pct, 2), numeric: true },
  {
    header: "In flight",
    value: (row) => row.in_flight_units,
    cell: (row) => formatUnits(row.in_flight_units),
    numeric: true,
  },
  {
    header: "On chain",
    value: (row) => row.on_chain_units,
    cell: (row) => formatUnits(row.on_chain_units),
    numeric: true,
  },
  { header: "Difference", value: difference, cell: (row) => <Difference units={difference(row)} />, numeric: true },
];

function Difference({ units }: { units: string }) {
  if (compareDecimals(units, "0") === 0) return <span className="text-up">none</span>;
  return <span className="font-semibold text-down">{formatUnits(units)}</span>;
}

/** Holders of one offering by the books, beside what the chain says. */
export function CapTableScreen({ own }: { own?: boolean }) {
  useTopics("chain", "settlements");
  const offerings = useLive(queries.offerings());
  const issuer = useLive({ ...queries.myIssuer(), enabled: own === true });
  const listed = offerings.data?.data.filter(
    ({ token_address, issuer_id }) => token_address !== null && (!own || issuer_id === issuer.data?.issuer_id),
  );
  const [chosen, setChosen] = useState("");
  const offeringId = chosen || listed?.[0]?.offering_id;
  return (
    <div className="space-y-4">
      {offerings.error ? <ProblemView error={offerings.error} /> : null}
      <div className="max-w-sm">
        <SelectField
          label="Offering"
          value={offeringId ?? ""}
          disabled={!offeringId}
          onChange={(event) => setChosen(event.target.value)}
        >
          {listed?.map(({ offering_id, symbol, name }) => (
            <option key={offering_id} value={offering_id}>
              {symbol}: {name}
            </option>
          ))}
          {offeringId ? null : <option value="">No token has been deployed yet</option>}
        </SelectField>
      </div>
      {offeringId ? <Register key={offeringId} offeringId={offeringId} /> : null}
    </div>
  );
}

function Register({ offeringId }: { offeringId: string }) {
  const capTable = useLive(queries.capTable(offeringId));
  const { total_units, on_chain_supply, agrees, as_of_seq, data } = capTable.data ?? {};
  return (
    <>
      <Stats>
        <Stat label="Units in the register" value={formatUnits(total_units)} />
        <Stat label="Supply on chain" value={formatUnits(on_chain_supply)} />
        <Stat label="Holders" value={data?.length ?? "—"} />
        <Stat
          label="Reconciliation"
          value={
            agrees === undefined ? (
              "—"
            ) : (
              <Badge
                state={agrees ? "ok" : "failed"}
                label={agrees ? "register and chain agree" : "register and chain differ"}
              />
            )
          }
          note={as_of_seq === undefined ? undefined : `as of chain event ${as_of_seq}`}
        />
      </Stats>
      <DataTable
        label="Holders"
        query={capTable}
        columns={HOLDER_COLUMNS}
        rowId={(row) => row.investor_id ?? row.address ?? row.legal_name}
        empty="Nobody holds units of this offering yet."
        filterable
      />
    </>
  );
}
