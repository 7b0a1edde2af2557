"use client";

import { type ReactNode, useState } from "react";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { SelectField, TextArea } from "@/components/ui/field";
import { ProblemView } from "./problem-view";

interface Props {
  /** The word on the button that opens and on the one that confirms. */
  verb: string;
  title: string;
  /** What will happen, on chain too. */
  effect: ReactNode;
  tone?: "primary" | "danger" | "outline";
  /** Asks for a choice too, e.g. the outcome of an alert. */
  choice?: { label: string; options: readonly { value: string; label: string }[] };
  /** No reason is asked when the api takes none. */
  withoutReason?: boolean;
  act: {
    mutateAsync: (input: { reason: string; choice: string }) => Promise<unknown>;
    isPending: boolean;
    error: unknown;
    reset: () => void;
  };
}

/** A button that asks before it acts: says the effect, takes the reason that goes into the record, shows a refusal in place. */
export function ReasonDialog({ verb, title, effect, tone = "outline", choice, withoutReason, act }: Props) {
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const [chosen, setChosen] = useState(choice?.options[0]?.value ?? "");
  const change = (next: boolean) => {
    if (next) act.reset();
    setOpen(next);
  };
  const submit = async (event: React.FormEvent) => {
    event.preventDefault();
    try {
      await act.mutateAsync({ reason: reason.trim(), choice: chosen });
    } catch {
      return; // shown below, from act.error
    }
    setOpen(false);
    setReason("");
  };
  return (
    <>
      <Button size="sm" tone={tone} onClick={() => change(true)}>
        {verb}
      </Button>
      <Dialog open={open} onOpenChange={change} title={title} description={effect}>
        <form onSubmit={submit} className="space-y-3">
          {choice ? (
            <SelectField label={choice.label} value={chosen} onChange={(event) => setChosen(event.target.value)}>
              {choice.options.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </SelectField>
          ) : null}
          {withoutReason ? null : (
            <TextArea
              label="Reason, kept in the audit trail"
              required
              minLength={3}
              maxLength={500}
              value={reason}
              onChange={(event) => setReason(event.target.value)}
            />
          )}
          {act.error ? <ProblemView error={act.error} /> : null}
          <div className="flex justify-end gap-2">
            <Button onClick={() => change(false)}>Go back</Button>
            <Button type="submit" tone={tone === "danger" ? "danger" : "primary"} disabled={act.isPending}>
              {act.isPending ? "Working…" : verb}
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}
