"use client";

import Link from "next/link";
import { buttonStyle } from "@/components/ui/button";
import { OfferingsTable } from "./offerings-table";
import { SubscribeDialog } from "./subscribe-dialog";

export function InvestorOfferings() {
  return (
    <OfferingsTable
      title="Offerings"
      empty="No offering is open yet."
      actions={(offering) => (
        <>
          {offering.status === "open" ? <SubscribeDialog offering={offering} /> : null}
          {offering.market_state === "closed" ? null : (
            <Link
              href={`/investor/trade/${offering.offering_id}`}
              prefetch={false}
              className={buttonStyle({ size: "sm" })}
              aria-label={`Trade ${offering.symbol}`}
            >
              Trade
            </Link>
          )}
        </>
      )}
    />
  );
}

/** The markets one can trade in. */
export function TradableOfferings() {
  return (
    <OfferingsTable
      title="Markets"
      empty="No market is open yet. Offerings appear here once the operator starts trading."
      only={(offering) => offering.market_state !== "closed"}
      actions={(offering) => (
        <Link
          href={`/investor/trade/${offering.offering_id}`}
          prefetch={false}
          className={buttonStyle({ size: "sm", tone: "primary" })}
          aria-label={`Trade ${offering.symbol}`}
        >
          Trade
        </Link>
      )}
    />
  );
}
