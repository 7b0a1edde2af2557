"use client";

import { useState } from "react";
import { ProblemView } from "@/components/problem-view";
import { Button } from "@/components/ui/button";
import { TextField } from "@/components/ui/field";
import { api } from "@/lib/api";
import { useAct } from "@/lib/use-act";

/** The first step of onboarding: who is this, in law. */
export function ProfileForm({ kind }: { kind: "investor" | "issuer" }) {
  const [legalName, setLegalName] = useState("");
  const [country, setCountry] = useState("");
  const create = useAct<{ legal_name: string; country: string }, unknown>(
    (body: { legal_name: string; country: string }) =>
      kind === "investor" ? api.POST("/v1/investors", { body }) : api.POST("/v1/issuers", { body }),
    { done: "Profile sent to compliance", quiet: true },
  );
  return (
    <form
      className="max-w-sm space-y-3"
      onSubmit={(event) => {
        event.preventDefault();
        create.mutate({ legal_name: legalName.trim(), country: country.trim().toUpperCase() });
      }}
    >
      <TextField
        label="Legal name"
        required
        maxLength={200}
        value={legalName}
        onChange={(event) => setLegalName(event.target.value)}
      />
      <TextField
        label="Country"
        required
        pattern="[A-Za-z]{2}"
        maxLength={2}
        className="w-20 uppercase"
        hint="Two letters, ISO 3166-1: US, DE, SG."
        value={country}
        onChange={(event) => setCountry(event.target.value)}
      />
      {create.error ? <ProblemView error={create.error} /> : null}
      <Button type="submit" tone="primary" disabled={create.isPending}>
        {create.isPending ? "Sending…" : "Send for review"}
      </Button>
    </form>
  );
}
