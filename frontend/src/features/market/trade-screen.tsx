"use client";

import type { UseQueryResult } from "@tanstack/react-query";
import { useMemo, useRef } from "react";
import { DataTable } from "@/components/data-table";
import { useLive, useTopics } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { Button } from "@/components/ui/button";
import { CancelButton } from "@/features/orders/cancel-button";
import { EXECUTION_COLUMNS, ORDER_COLUMNS } from "@/features/orders/columns";
import { formatMoney, formatUnits } from "@/lib/decimal";
import { touchOf } from "@/lib/ladder";
import type { LocalOrder } from "@/lib/local-orders";
import type { Order } from "@/lib/types";
import { queries } from "@/lib/use-queries";
import { MarketHeader } from "./market-header";
import { OrderBook } from "./order-book";
import { OrderTicket, type TicketForm } from "./order-ticket";
import { PriceChart } from "./price-chart";
import { TradeTape } from "./trade-tape";
import { usePlaceOrder } from "./use-place-order";

/** The trading page of one market. */
export function TradeScreen({ offeringId }: { offeringId: string }) {
  useTopics(`book:${offeringId}`, `trades:${offeringId}`, "orders", "settlements", "portfolio");
  const offering = useLive(queries.offering(offeringId));
  const book = useLive(queries.book(offeringId), 2_000);
  const portfolio = useLive(queries.portfolio());
  const openOrders = useLive(queries.orders({ status: "open", offering_id: offeringId }), 3_000);
  const { place, local, dismiss } = usePlaceOrder(offeringId);
  const form = useRef<TicketForm | null>(null);
  const ownPrices = useMemo(
    () => new Set(openOrders.data?.data.flatMap(({ limit_price }) => limit_price ?? [])),
    [openOrders.data],
  );
  const pick = (price: string) => {
    form.current?.setValue("type", "limit");
    form.current?.setValue("limit_price", price, { shouldValidate: true });
  };
  return (
    <>
      <MarketHeader offeringId={offeringId} />
      <div className="grid grid-cols-[minmax(0,1fr)] gap-3 md:grid-cols-[minmax(0,1fr)_17rem] xl:grid-cols-[minmax(0,1fr)_15.5rem_17rem]">
        <div className="min-w-0 space-y-3 md:row-span-2 xl:row-span-1">
          <PriceChart offeringId={offeringId} />
          <OwnOrders local={local} dismiss={dismiss} openOrders={openOrders} />
          <OwnFills offeringId={offeringId} />
        </div>
        <div className="order-first min-w-0 md:order-none xl:order-last">
          {offering.data ? (
            <OrderTicket
              offering={offering.data}
              touch={touchOf(book.data)}
              portfolio={portfolio.data}
              formRef={form}
              onSubmit={place}
            />
          ) : null}
        </div>
        <div className="min-w-0 space-y-3">
          <OrderBook offeringId={offeringId} ownPrices={ownPrices} onPick={pick} />
          <TradeTape offeringId={offeringId} />
        </div>
      </div>
    </>
  );
}

function OwnOrders(props: {
  local: readonly LocalOrder[];
  dismiss: (clientOrderId: string) => void;
  openOrders: UseQueryResult<{ data: Order[]; next_cursor?: string | null }, unknown>;
}) {
  return (
    <>
      <ul aria-label="Orders being sent" className="space-y-px empty:hidden">
        {props.local.map((order) => (
          <LocalRow key={order.clientOrderId} order={order} dismiss={props.dismiss} />
        ))}
      </ul>
      <DataTable
        label="My open orders"
        query={props.openOrders}
        columns={ORDER_COLUMNS}
        rowId={(row) => row.order_id}
        empty="No open orders in this market."
        actions={(row) => <CancelButton order={row} />}
      />
    </>
  );
}

/** An order on its way, or refused: with the reason, until it is dismissed. */
function LocalRow({ order, dismiss }: { order: LocalOrder; dismiss: (clientOrderId: string) => void }) {
  const text = `${order.side === "buy" ? "Buy" : "Sell"} ${formatUnits(order.quantity)} at ${order.limitPrice ? formatMoney(order.limitPrice) : "market"}`;
  return (
    <li className="rounded-md border bg-panel px-3 py-2">
      <p className="text-sm">
        {text} <span className="text-muted">{order.state === "sending" ? "sending…" : "refused"}</span>
      </p>
      {order.problem ? (
        <div className="mt-1">
          <ProblemView
            error={order.problem}
            action={
              <Button size="sm" onClick={() => dismiss(order.clientOrderId)}>
                Dismiss
              </Button>
            }
          />
        </div>
      ) : null}
    </li>
  );
}

function OwnFills({ offeringId }: { offeringId: string }) {
  const executions = useLive(queries.executions(offeringId), 3_000);
  return (
    <DataTable
      label="My fills"
      query={executions}
      columns={EXECUTION_COLUMNS}
      rowId={(row) => row.fill_id + row.order_id}
      empty="No fills in this market yet."
    />
  );
}
