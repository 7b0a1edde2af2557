"use client";

import { Button } from "@/components/ui/button";
import { api } from "@/lib/api";
import type { Order } from "@/lib/types";
import { useAct } from "@/lib/use-act";

/** Cancels at once, without asking: an order off the book can be placed again. */
export function CancelButton({ order }: { order: Order }) {
  const cancel = useAct(() => api.DELETE("/v1/orders/{order_id}", { params: { path: { order_id: order.order_id } } }), {
    done: `Cancel of ${order.symbol} ${order.side} sent`,
  });
  if (order.closed_at) return null;
  return (
    <Button
      size="sm"
      tone="danger"
      disabled={cancel.isPending}
      onClick={() => cancel.mutate(undefined)}
      aria-label={`Cancel ${order.side} ${order.quantity} ${order.symbol}`}
    >
      Cancel
    </Button>
  );
}
