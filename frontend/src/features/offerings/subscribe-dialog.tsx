"use client";

import { useState } from "react";
import { ProblemView } from "@/components/problem-view";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { TextField } from "@/components/ui/field";
import { api } from "@/lib/api";
import { formatMoney, isPositive, multiply, normalizeInput, parseDecimal } from "@/lib/decimal";
import { freshId } from "@/lib/ids";
import type { Offering } from "@/lib/types";
import { useAct } from "@/lib/use-act";

/** Subscribes to a primary offering. The idempotency key lives as long as the window, so a second click is the same request. */
export function SubscribeDialog({ offering }: { offering: Offering }) {
  const [open, setOpen] = useState(false);
  const [units, setUnits] = useState("");
  const [key, setKey] = useState(freshId);
  const subscribe = useAct(
    (body: { offering_id: string; units: string }) =>
      api.POST("/v1/subscriptions", { body, headers: { "Idempotency-Key": key } }),
    { done: `Subscription to ${offering.symbol} recorded`, quiet: true },
  );
  const wanted = normalizeInput(units);
  const valid = isPositive(wanted) && parseDecimal(wanted)?.scale === 0;
  const change = (next: boolean) => {
    if (next) {
      setKey(freshId());
      subscribe.reset();
    }
    setOpen(next);
  };
  return (
    <>
      <Button size="sm" tone="primary" onClick={() => change(true)} aria-label={`Subscribe to ${offering.symbol}`}>
        Subscribe
      </Button>
      <Dialog
        open={open}
        onOpenChange={change}
        title={`Subscribe to ${offering.symbol}`}
        description={`${offering.name}, ${formatMoney(offering.unit_price_amount, offering.currency)} a unit. Cash is reserved now; units are minted to your wallet once the issuer accepts.`}
      >
        <form
          className="space-y-3"
          onSubmit={(event) => {
            event.preventDefault();
            if (valid)
              subscribe.mutate(
                { offering_id: offering.offering_id, units: wanted },
                { onSuccess: () => setOpen(false) },
              );
          }}
        >
          <TextField
            label="Units"
            inputMode="numeric"
            required
            value={units}
            onChange={(event) => {
              setUnits(event.target.value);
              setKey(freshId());
            }}
            error={units && !valid ? "Units must be a whole number above zero." : undefined}
            hint={
              valid
                ? `Costs ${formatMoney(multiply(wanted, offering.unit_price_amount), offering.currency)}`
                : undefined
            }
          />
          {subscribe.error ? <ProblemView error={subscribe.error} /> : null}
          <div className="flex justify-end gap-2">
            <Button onClick={() => change(false)}>Go back</Button>
            <Button type="submit" tone="primary" disabled={!valid || subscribe.isPending}>
              {subscribe.isPending ? "Sending…" : "Subscribe"}
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
