import { Id, Side, When } from "@/components/cells";
import type { Column } from "@/components/data-table";
import { Badge } from "@/components/ui/badge";
import { formatMoney, formatUnits } from "@/lib/decimal";
import type { Execution, Order } from "@/lib/types";

const REASONS: Record<string, string> = {
  ioc_remainder: "rest not filled at once",
  fok_unfilled: "could not fill whole",
  self_trade_prevention: "would trade with yourself",
  user_request: "cancelled by you",
  compliance_revoked: "withdrawn by compliance",
  day_end: "day ended",
};

export function OrderState({ order }: { order: Order }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      <Badge state={order.status} />
      {order.status_reason ? (
        <span className="text-xs text-muted">{REASONS[order.status_reason] ?? order.status_reason}</span>
      ) : null}
    </span>
  );
}

export const ORDER_COLUMNS: readonly Column<Order>[] = [
  { header: "Placed", value: (row) => row.created_at, cell: (row) => <When at={row.created_at} /> },
  { header: "Order", value: (row) => row.order_id, cell: (row) => <Id value={row.order_id} /> },
  { header: "Security", value: (row) => row.symbol, cell: (row) => <span className="font-medium">{row.symbol}</span> },
  { header: "Side", value: (row) => row.side, cell: (row) => <Side side={row.side} /> },
  { header: "Type", value: (row) => `${row.type} ${row.time_in_force.toUpperCase()}` },
  {
    header: "Price",
    value: (row) => row.limit_price,
    cell: (row) => (row.limit_price ? formatMoney(row.limit_price) : "Market"),
    numeric: true,
  },
  { header: "Quantity", value: (row) => row.quantity, cell: (row) => formatUnits(row.quantity), numeric: true },
  {
    header: "Filled",
    value: (row) => row.filled_quantity,
    cell: (row) => formatUnits(row.filled_quantity),
    numeric: true,
  },
  {
    header: "Average",
    value: (row) => row.average_price,
    cell: (row) => formatMoney(row.average_price),
    numeric: true,
  },
  { header: "State", value: (row) => row.status, cell: (row) => <OrderState order={row} /> },
];

/** For desks that see everyone's orders. */
export const BLOTTER_COLUMNS: readonly Column<Order>[] = [
  ...ORDER_COLUMNS.slice(0, 2),
  { header: "Investor", value: (row) => row.investor_id, cell: (row) => <Id value={row.investor_id} /> },
  ...ORDER_COLUMNS.slice(2),
  { header: "Decision", value: (row) => row.decision_id, cell: (row) => <Id value={row.decision_id} /> },
];

export const EXECUTION_COLUMNS: readonly Column<Execution>[] = [
  { header: "Time", value: (row) => row.executed_at, cell: (row) => <When at={row.executed_at} /> },
  { header: "Security", value: (row) => row.symbol, cell: (row) => <span className="font-medium">{row.symbol}</span> },
  { header: "Side", value: (row) => row.side, cell: (row) => <Side side={row.side} /> },
  { header: "Price", value: (row) => row.price, cell: (row) => formatMoney(row.price), numeric: true },
  { header: "Quantity", value: (row) => row.quantity, cell: (row) => formatUnits(row.quantity), numeric: true },
  { header: "Amount", value: (row) => row.amount, cell: (row) => formatMoney(row.amount), numeric: true },
  { header: "Order", value: (row) => row.order_id, cell: (row) => <Id value={row.order_id} /> },
  { header: "Fill", value: (row) => row.fill_id, cell: (row) => <Id value={row.fill_id} /> },
];
