"use client";

import { ReasonDialog } from "@/components/reason-dialog";
import { Button } from "@/components/ui/button";
import { api } from "@/lib/api";
import { useAct } from "@/lib/use-act";

type Outcome = "false_positive" | "explained" | "confirmed_risk" | "duplicate";

const OUTCOMES = {
  label: "Outcome",
  options: [
    { value: "false_positive", label: "False positive" },
    { value: "explained", label: "Explained" },
    { value: "confirmed_risk", label: "Confirmed risk" },
    { value: "duplicate", label: "Duplicate" },
  ],
} as const;

/** Take an alert, or close it with an outcome and a reason; alike for both kinds. */
export function AlertActions({
  kind,
  alertId,
  status,
}: {
  kind: "kyt" | "surveillance";
  alertId: string;
  status: string;
}) {
  const params = { path: { alert_id: alertId } };
  const assign = useAct<undefined, unknown>(
    () =>
      kind === "kyt"
        ? api.POST("/v1/kyt/alerts/{alert_id}:assign", { params, body: {} })
        : api.POST("/v1/surveillance/alerts/{alert_id}:assign", { params, body: {} }),
    {
      done: "The alert is yours",
    },
  );
  const close = useAct<{ reason: string; choice: string }, unknown>(
    ({ reason, choice }: { reason: string; choice: string }) => {
      const body = { outcome: choice as Outcome, reason };
      return kind === "kyt"
        ? api.POST("/v1/kyt/alerts/{alert_id}:close", { params, body })
        : api.POST("/v1/surveillance/alerts/{alert_id}:close", { params, body });
    },
    { done: "Alert closed", quiet: true },
  );
  if (status === "closed") return null;
  return (
    <>
      {status === "open" ? (
        <Button size="sm" disabled={assign.isPending} onClick={() => assign.mutate(undefined)}>
          Assign to me
        </Button>
      ) : null}
      <ReasonDialog
        verb="Close"
        title="Close this alert?"
        effect="Outcome and reason go into the record of the alert and into the audit trail."
        choice={OUTCOMES}
        act={close}
      />
    </>
  );
}
