import type { Problem } from "./problem";

/** Orders this tab sent and the api has not listed yet, by client_order_id. A refused one stays until it is dismissed. */
export interface LocalOrder {
  clientOrderId: string;
  side: "buy" | "sell";
  quantity: string;
  limitPrice: string | null;
  state: "sending" | "refused";
  problem?: Problem;
}

export type LocalOrderEvent =
  | { type: "sent"; order: Omit<LocalOrder, "state" | "problem"> }
  | { type: "accepted"; clientOrderId: string }
  | { type: "refused"; clientOrderId: string; problem: Problem }
  | { type: "dismissed"; clientOrderId: string };

export function reduceLocalOrders(orders: readonly LocalOrder[], event: LocalOrderEvent): readonly LocalOrder[] {
  switch (event.type) {
    case "sent": {
      const others = orders.filter(({ clientOrderId }) => clientOrderId !== event.order.clientOrderId);
      return [{ ...event.order, state: "sending" }, ...others];
    }
    case "refused":
      return orders.map((order) =>
        order.clientOrderId === event.clientOrderId ? { ...order, state: "refused", problem: event.problem } : order,
      );
    case "accepted":
    case "dismissed":
      return orders.filter(({ clientOrderId }) => clientOrderId !== event.clientOrderId);
  }
}
