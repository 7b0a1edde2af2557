"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useReducer, useRef } from "react";
import { toast } from "sonner";
import { api, unwrap } from "@/lib/api";
import { formatUnits } from "@/lib/decimal";
import { freshId } from "@/lib/ids";
import { reduceLocalOrders } from "@/lib/local-orders";
import { toProblem } from "@/lib/problem";
import { type Ticket, toNewOrder } from "@/lib/ticket";
import type { Order } from "@/lib/types";

/**
 * Sends tickets. The order stands in the list at once; an answer replaces it and a refusal stays until dismissed. When no
 * answer came, the same ticket sent again carries the same client_order_id, so it cannot become two orders.
 */
export function usePlaceOrder(offeringId: string) {
  const client = useQueryClient();
  const [local, dispatch] = useReducer(reduceLocalOrders, []);
  const unanswered = useRef<{ text: string; id: string } | null>(null);
  const send = useMutation({
    mutationFn: (body: ReturnType<typeof toNewOrder>) =>
      unwrap(api.POST("/v1/orders", { body, headers: { Prefer: "wait=2" } })),
  });
  const place = async (ticket: Ticket) => {
    const text = JSON.stringify(ticket);
    const clientOrderId = unanswered.current?.text === text ? unanswered.current.id : freshId();
    unanswered.current = { text, id: clientOrderId };
    const body = toNewOrder(ticket, offeringId, clientOrderId);
    dispatch({
      type: "sent",
      order: {
        clientOrderId,
        side: ticket.side,
        quantity: ticket.quantity,
        limitPrice: ticket.type === "limit" ? ticket.limit_price : null,
      },
    });
    try {
      const order = await send.mutateAsync(body);
      unanswered.current = null;
      announce(order);
      await client.invalidateQueries();
      dispatch({ type: "accepted", clientOrderId });
    } catch (error) {
      const problem = toProblem(error);
      if (problem.status >= 400 && problem.status < 500) unanswered.current = null;
      dispatch({ type: "refused", clientOrderId, problem });
    }
  };
  return { place, local, dismiss: (clientOrderId: string) => dispatch({ type: "dismissed", clientOrderId }) };
}

function announce(order: Order) {
  const what = `${order.side === "buy" ? "Buy" : "Sell"} ${formatUnits(order.quantity)} ${order.symbol}`;
  const filled = formatUnits(order.filled_quantity);
  if (order.status === "filled") toast.success(`${what}: filled`);
  else if (order.status === "rejected") toast.error(`${what}: rejected`, { description: order.status_reason });
  else if (order.filled_quantity !== "0")
    toast.success(`${what}: ${filled} filled, ${order.status.replaceAll("_", " ")}`);
  else toast.success(`${what}: ${order.status.replaceAll("_", " ")}`);
}
