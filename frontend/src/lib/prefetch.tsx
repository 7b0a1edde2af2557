import "server-only";
import { dehydrate, type FetchQueryOptions, HydrationBoundary, QueryClient } from "@tanstack/react-query";
import { headers } from "next/headers";
import type { ReactNode } from "react";
import { type Queries, queriesFor } from "./queries";
import { serverQueries } from "./server-api";

/**
 * Fills the page's first reads on the server, all at once. A read that fails is left out: the browser asks again and shows
 * the api's own problem.
 */
export async function Prefetch({
  reads,
  children,
}: {
  reads: (queries: Queries) => readonly unknown[];
  children: ReactNode;
}) {
  const client = new QueryClient();
  const queries = queriesFor(serverQueries((await headers()).get("cookie")));
  await Promise.all(
    reads(queries).map((options) => client.prefetchQuery({ ...(options as FetchQueryOptions), retry: false })),
  );
  return <HydrationBoundary state={dehydrate(client)}>{children}</HydrationBoundary>;
}
