"use client";

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { CircleAlert, CircleCheck } from "lucide-react";
import { useEffect, useState } from "react";
import { api, unwrap } from "@/lib/api";
import { reasonText, toProblem } from "@/lib/problem";
import type { NewOrder } from "@/lib/types";

/** What compliance would say to this order, before it is sent. Asked a moment after the typing stops. */
export function Eligibility({ order }: { order: NewOrder | null }) {
  const asked = useSettled(order, 350);
  const preview = useQuery({
    queryKey: ["preview", asked && { ...asked, client_order_id: "" }],
    queryFn: () => unwrap(api.POST("/v1/orders:preview", { body: asked as NewOrder })),
    enabled: asked !== null,
    staleTime: 10_000,
    retry: false,
    placeholderData: keepPreviousData,
  });
  if (!asked)
    return <p className="text-xs text-muted">Fill in price and quantity to see whether you may place this order.</p>;
  if (preview.error) return <Refused title={toProblem(preview.error).detail} />;
  if (!preview.data) return <p className="text-xs text-muted">Asking compliance…</p>;
  const { outcome, reasons } = preview.data;
  if (outcome === "allow") {
    return (
      <p role="status" className="flex items-center gap-1.5 text-xs text-up">
        <CircleCheck aria-hidden className="size-4 shrink-0" /> Compliance allows this order.
      </p>
    );
  }
  return (
    <Refused
      title={outcome === "review" ? "This order needs a review." : "Compliance would refuse this order."}
      reasons={reasons.map(reasonText)}
    />
  );
}

function Refused({ title, reasons = [] }: { title: string; reasons?: string[] }) {
  return (
    <div role="status" className="flex gap-1.5 text-xs text-down">
      <CircleAlert aria-hidden className="size-4 shrink-0" />
      <div>
        <p>{title}</p>
        {reasons.map((reason) => (
          <p key={reason} className="text-ink">
            {reason}
          </p>
        ))}
      </div>
    </div>
  );
}

/** The value once it has stopped changing for a while. */
function useSettled<T>(value: T, wait_ms: number): T {
  const [settled, setSettled] = useState(value);
  const text = JSON.stringify(value);
  // biome-ignore lint/correctness/useExhaustiveDependencies: compared by content
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), wait_ms);
    return () => clearTimeout(timer);
  }, [text, wait_ms]);
  return settled;
}
