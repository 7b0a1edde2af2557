"use client";

import { usePolled } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { Badge } from "@/components/ui/badge";
import { Panel } from "@/components/ui/panel";
import { toProblem } from "@/lib/problem";
import { queries } from "@/lib/use-queries";
import { ProfileForm } from "./profile-form";

export function IssuerOnboarding() {
  const issuer = usePolled(queries.myIssuer(), 5_000);
  if (issuer.error && toProblem(issuer.error).status !== 404) return <ProblemView error={issuer.error} />;
  if (issuer.isPending) return <p className="text-muted">Loading…</p>;
  if (!issuer.data) {
    return (
      <Panel title="1. Tell us about the company">
        <ProfileForm kind="issuer" />
      </Panel>
    );
  }
  const { legal_name, country, kyb_status } = issuer.data;
  return (
    <Panel title={legal_name}>
      <dl className="grid max-w-xl grid-cols-[8rem_minmax(0,1fr)] gap-y-2">
        <dt className="text-muted">Country</dt>
        <dd>{country}</dd>
        <dt className="text-muted">KYB</dt>
        <dd className="flex items-center gap-2">
          <Badge state={kyb_status} />
          <span className="text-muted">
            {kyb_status === "approved" ? "You may create offerings." : "A compliance officer looks at it next."}
          </span>
        </dd>
      </dl>
    </Panel>
  );
}
