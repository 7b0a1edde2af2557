"use client";

import { ReasonDialog } from "@/components/reason-dialog";
import { api } from "@/lib/api";
import type { Offering } from "@/lib/types";
import { useAct } from "@/lib/use-act";

/** One button each for the steps of an offering's life: approve, deploy, open, start trading, halt, resume. */

const at = ({ offering_id }: Offering) => ({ params: { path: { offering_id } } });

export function ApproveOffering({ offering }: { offering: Offering }) {
  const act = useAct(() => api.POST("/v1/offerings/{offering_id}:approve", at(offering)), {
    done: `${offering.symbol} approved`,
    quiet: true,
  });
  if (offering.status !== "draft") return null;
  return (
    <ReasonDialog
      verb="Approve"
      title={`Approve ${offering.symbol}?`}
      effect="The tokenization agent may deploy its token next. Nothing happens on chain yet."
      tone="primary"
      withoutReason
      act={act}
    />
  );
}

export function DeployOffering({ offering }: { offering: Offering }) {
  const act = useAct(() => api.POST("/v1/offerings/{offering_id}:deploy", at(offering)), {
    done: `Deploying ${offering.symbol}`,
    quiet: true,
  });
  if (offering.status !== "approved") return null;
  return (
    <ReasonDialog
      verb="Deploy"
      title={`Deploy the token of ${offering.symbol}?`}
      effect="On chain: an ERC-3643 token with its identity registry and compliance contract is deployed and set up. This costs gas and cannot be undone."
      tone="primary"
      withoutReason
      act={act}
    />
  );
}

export function OpenOffering({ offering }: { offering: Offering }) {
  const act = useAct(() => api.POST("/v1/offerings/{offering_id}:open", at(offering)), {
    done: `${offering.symbol} is open`,
    quiet: true,
  });
  if (offering.status !== "deployed") return null;
  return (
    <ReasonDialog
      verb="Open"
      title={`Open ${offering.symbol} to subscriptions?`}
      effect="Eligible investors may subscribe from now on."
      tone="primary"
      withoutReason
      act={act}
    />
  );
}

export function MarketControls({
  offering,
}: {
  offering: { offering_id: string; symbol: string; market_state: string };
}) {
  const { offering_id, symbol, market_state } = offering;
  const params = { path: { offering_id } };
  const start = useAct(() => api.POST("/v1/offerings/{offering_id}:start-trading", { params }), {
    done: `${symbol} trades`,
    quiet: true,
  });
  const halt = useAct(
    ({ reason }: { reason: string }) => api.POST("/v1/offerings/{offering_id}:halt", { params, body: { reason } }),
    { done: `${symbol} halted`, quiet: true },
  );
  const resume = useAct(() => api.POST("/v1/offerings/{offering_id}:resume", { params }), {
    done: `${symbol} resumed`,
    quiet: true,
  });
  if (market_state === "closed") {
    return (
      <ReasonDialog
        verb="Start"
        title={`Start trading in ${symbol}?`}
        effect="The book opens for continuous matching."
        tone="primary"
        withoutReason
        act={start}
      />
    );
  }
  if (market_state === "continuous") {
    return (
      <ReasonDialog
        verb="Halt"
        title={`Halt ${symbol}?`}
        effect="Matching stops at once for everyone. Orders stay in the book and can be cancelled."
        tone="danger"
        act={halt}
      />
    );
  }
  return (
    <ReasonDialog
      verb="Resume"
      title={`Resume ${symbol}?`}
      effect="Continuous matching starts again with the orders that are in the book."
      tone="primary"
      withoutReason
      act={resume}
    />
  );
}
