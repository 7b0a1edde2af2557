"use client";

import type { ReactNode } from "react";
import { DataTable } from "@/components/data-table";
import { usePolled, useTopics } from "@/components/live-provider";
import type { Offering } from "@/lib/types";
import { queries } from "@/lib/use-queries";
import { OFFERING_COLUMNS } from "./columns";

/** All offerings the api shows this person, narrowed by `only`, with this desk's buttons. */
export function OfferingsTable(props: {
  title: string;
  empty: string;
  only?: (offering: Offering) => boolean;
  actions: (offering: Offering) => ReactNode;
}) {
  useTopics("chain");
  const offerings = usePolled(queries.offerings());
  const data = offerings.data && { ...offerings.data, data: offerings.data.data.filter(props.only ?? (() => true)) };
  return (
    <DataTable
      label={props.title}
      query={{ ...offerings, data }}
      columns={OFFERING_COLUMNS}
      rowId={(row) => row.offering_id}
      empty={props.empty}
      filterable
      actions={props.actions}
    />
  );
}
