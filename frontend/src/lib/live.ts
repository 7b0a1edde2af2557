/** What a bell from the api's stream means: which reads are stale. Pure, so that it can be tested. */

/** Path prefixes of the reads that a topic makes stale; `{id}` stands for what follows the colon of the topic. */
const STALE: Record<string, readonly string[]> = {
  book: ["/v1/offerings/{offering_id}/book", "/v1/offerings/{offering_id}", "/v1/ats/markets"],
  trades: ["/v1/offerings/{offering_id}/trades", "/v1/offerings/{offering_id}/candles", "/v1/offerings/{offering_id}"],
  orders: ["/v1/orders", "/v1/executions", "/v1/portfolio"],
  settlements: ["/v1/settlements", "/v1/portfolio"],
  portfolio: ["/v1/portfolio", "/v1/payments", "/v1/subscriptions", "/v1/redemptions"],
  alerts: ["/v1/kyt/alerts", "/v1/surveillance/alerts"],
  chain: [
    "/v1/chain/operations",
    "/v1/chain/status",
    "/v1/offerings",
    "/v1/investors",
    "/v1/subscriptions",
    "/v1/redemptions",
    "/v1/portfolio",
    "/v1/offerings/{offering_id}/cap-table",
  ],
};

/** Whether the read with this query key is made stale by the topic, e.g. "orders" or "book:off_1". */
export function isStale(key: readonly unknown[], topic: string): boolean {
  const [name = "", id] = topic.split(":", 2);
  const [, path, init] = key as [string, string, { params?: { path?: { offering_id?: string } } }?];
  if (!STALE[name]?.includes(path)) return false;
  const about = init?.params?.path?.offering_id;
  return !id || !about || about === id;
}

/** The stream's address for these topics, sorted so that the same set gives the same address. */
export function streamUrl(topics: Iterable<string>): string {
  return `/api/v1/stream?topics=${[...new Set(topics)].sort().map(encodeURIComponent).join(",")}`;
}

/**
 * Runs `refresh` for a topic now, or once more after the running one when bells arrive meanwhile: a burst of bells costs two
 * reads, and the last bell is never lost.
 */
export function createPump(refresh: (topic: string) => Promise<unknown>) {
  const running = new Set<string>();
  const again = new Set<string>();
  async function ring(topic: string): Promise<void> {
    if (running.has(topic)) {
      again.add(topic);
      return;
    }
    running.add(topic);
    await refresh(topic).finally(() => running.delete(topic));
    if (again.delete(topic)) await ring(topic);
  }
  return ring;
}
