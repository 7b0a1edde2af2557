"use client";

import { useLive } from "@/components/live-provider";
import { queries } from "@/lib/use-queries";
import { ApproveOffering, DeployOffering, OpenOffering } from "./offering-actions";
import { OfferingsTable } from "./offerings-table";

/** The same list at three desks, each with its own step. */

export function IssuerOfferings() {
  const issuer = useLive(queries.myIssuer());
  return (
    <OfferingsTable
      title="My offerings"
      empty="You have no offering yet. Create one to start."
      only={({ issuer_id }) => issuer_id === issuer.data?.issuer_id}
      actions={(offering) => <OpenOffering offering={offering} />}
    />
  );
}

export function ComplianceOfferings() {
  return (
    <OfferingsTable
      title="Offerings"
      empty="No offering has been created yet."
      actions={(offering) => <ApproveOffering offering={offering} />}
    />
  );
}

export function Deployments() {
  return (
    <OfferingsTable
      title="Offerings"
      empty="No offering has been created yet."
      actions={(offering) => <DeployOffering offering={offering} />}
    />
  );
}
