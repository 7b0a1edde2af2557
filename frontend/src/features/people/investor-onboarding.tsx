"use client";

import { Id } from "@/components/cells";
import { usePolled, useTopics } from "@/components/live-provider";
import { ProblemView } from "@/components/problem-view";
import { Badge } from "@/components/ui/badge";
import { Panel } from "@/components/ui/panel";
import { toProblem } from "@/lib/problem";
import { formatDate } from "@/lib/time";
import type { Investor } from "@/lib/types";
import { queries } from "@/lib/use-queries";
import { ProfileForm } from "./profile-form";

export function InvestorOnboarding() {
  useTopics("chain");
  const investor = usePolled(queries.myInvestor(), 5_000);
  if (investor.error && toProblem(investor.error).status !== 404) return <ProblemView error={investor.error} />;
  if (investor.isPending) return <p className="text-muted">Loading…</p>;
  if (!investor.data) {
    return (
      <Panel title="1. Tell us who you are">
        <ProfileForm kind="investor" />
      </Panel>
    );
  }
  return <Progress investor={investor.data} />;
}

function Progress({ investor }: { investor: Investor }) {
  const wallet = investor.wallets[0];
  return (
    <Panel title={investor.legal_name}>
      <dl className="grid max-w-xl grid-cols-[8rem_minmax(0,1fr)] gap-y-2">
        <dt className="text-muted">Country</dt>
        <dd>{investor.country}</dd>
        <dt className="text-muted">KYC</dt>
        <dd className="flex items-center gap-2">
          <Badge state={investor.kyc_status} />
          {investor.kyc_status === "pending" ? (
            <span className="text-muted">A compliance officer looks at it next.</span>
          ) : null}
          {investor.kyc_expires_at ? (
            <span className="text-muted">until {formatDate(investor.kyc_expires_at)}</span>
          ) : null}
        </dd>
        <dt className="text-muted">Account</dt>
        <dd>{investor.frozen ? <Badge state="frozen" /> : <Badge state="active" />}</dd>
        <dt className="text-muted">Wallet</dt>
        <dd className="flex flex-wrap items-center gap-2">
          {wallet ? (
            <>
              <Badge state={wallet.status} /> <Id value={wallet.address} />{" "}
              <span className="text-muted">chain {wallet.chain_id}</span>
            </>
          ) : (
            <span className="text-muted">Made when KYC is approved.</span>
          )}
        </dd>
        <dt className="text-muted">Identity</dt>
        <dd>
          {wallet?.identity ? (
            <Id value={wallet.identity} />
          ) : (
            <span className="text-muted">Deployed on chain with the wallet.</span>
          )}
        </dd>
      </dl>
    </Panel>
  );
}
