import type { Column } from "@/components/data-table";
import { Badge } from "@/components/ui/badge";
import { formatMoney, formatUnits } from "@/lib/decimal";
import type { Offering } from "@/lib/types";

export const EXEMPTIONS: Record<string, string> = {
  reg_d_506b: "Reg D 506(b)",
  reg_d_506c: "Reg D 506(c)",
  reg_s: "Reg S",
  reg_a_t2: "Reg A Tier 2",
  reg_cf: "Reg CF",
  rule_144a: "Rule 144A",
  registered: "Registered",
};

export const OFFERING_COLUMNS: readonly Column<Offering>[] = [
  { header: "Symbol", value: (row) => row.symbol, cell: (row) => <span className="font-medium">{row.symbol}</span> },
  { header: "Name", value: (row) => row.name },
  { header: "Issuer", value: (row) => row.issuer_name },
  { header: "Exemption", value: (row) => EXEMPTIONS[row.exemption] ?? row.exemption },
  {
    header: "Unit price",
    value: (row) => row.unit_price_amount,
    cell: (row) => formatMoney(row.unit_price_amount, row.currency),
    numeric: true,
  },
  { header: "Max units", value: (row) => row.max_units, cell: (row) => formatUnits(row.max_units), numeric: true },
  {
    header: "Last",
    value: (row) => row.last_price_amount,
    cell: (row) => formatMoney(row.last_price_amount),
    numeric: true,
  },
  { header: "Offering", value: (row) => row.status, cell: (row) => <Badge state={row.status} /> },
  { header: "Market", value: (row) => row.market_state, cell: (row) => <Badge state={row.market_state} /> },
];
