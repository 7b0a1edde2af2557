"use client";

import { type UseQueryOptions, type UseQueryResult, useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useRef, useState } from "react";
import { createPump, isStale, streamUrl } from "@/lib/live";

export type LiveStatus = "connecting" | "live" | "polling";

interface Live {
  status: LiveStatus;
  /** Adds topics to the stream; the returned function takes them away. */
  listen: (topics: readonly string[]) => () => void;
}

const LiveContext = createContext<Live>({ status: "polling", listen: () => () => undefined });
const RETRY_S = [1, 2, 5, 10, 15];

/** The tab's one event stream. A hidden tab holds none, so that many tabs do not exhaust the browser's connections. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const client = useQueryClient();
  const counts = useRef(new Map<string, number>());
  const [topics, setTopics] = useState("");
  const [visible, setVisible] = useState(true);
  const [status, setStatus] = useState<LiveStatus>("connecting");

  const listen = useCallback((wanted: readonly string[]) => {
    const change = (by: number) => {
      for (const topic of wanted) counts.current.set(topic, (counts.current.get(topic) ?? 0) + by);
      setTopics(
        [...counts.current]
          .filter(([, count]) => count > 0)
          .map(([topic]) => topic)
          .sort()
          .join(","),
      );
    };
    change(1);
    return () => change(-1);
  }, []);

  useEffect(() => {
    const onChange = () => setVisible(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", onChange);
    return () => document.removeEventListener("visibilitychange", onChange);
  }, []);

  useEffect(() => {
    if (!topics || !visible) return;
    const ring = createPump((topic) =>
      client.invalidateQueries({ predicate: ({ queryKey }) => isStale(queryKey, topic) }),
    );
    return openStream(topics.split(","), ring, setStatus, () => client.invalidateQueries());
  }, [topics, visible, client]);

  const value = useMemo(() => ({ status, listen }), [status, listen]);
  return <LiveContext.Provider value={value}>{children}</LiveContext.Provider>;
}

/** Opens the stream and keeps it open; returns the closer. `onReturn` runs when it came back after a loss: bells were missed. */
function openStream(
  topics: string[],
  ring: (topic: string) => Promise<void>,
  setStatus: (s: LiveStatus) => void,
  onReturn: () => void,
) {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;
  const open = () => {
    source = new EventSource(streamUrl(topics));
    source.onopen = () => {
      if (failures > 0) onReturn();
      failures = 0;
      setStatus("live");
    };
    source.onerror = () => {
      setStatus("polling");
      const wait_s = RETRY_S[Math.min(failures, RETRY_S.length - 1)] ?? 15;
      failures += 1;
      if (source?.readyState !== EventSource.CLOSED) return; // the browser reconnects by itself
      timer = setTimeout(open, wait_s * 1_000);
    };
    for (const topic of topics) source.addEventListener(topic, () => void ring(topic));
  };
  open();
  return () => {
    clearTimeout(timer);
    source?.close();
  };
}

export const useLiveStatus = () => useContext(LiveContext).status;

/** Subscribes the page to topics for as long as it is shown. */
export function useTopics(...topics: string[]): void {
  const { listen } = useContext(LiveContext);
  const key = topics.join(",");
  useEffect(() => listen(key.split(",")), [listen, key]);
}

/** How many polls apart a safety read is while the stream is up: bells may be lost, screens must not stay wrong. */
const SAFETY = 4;

/** A read that follows the stream; without one it polls each `poll_ms` while the tab is visible. */
export function useLive<Data, Failure, Key extends readonly unknown[]>(
  options: UseQueryOptions<Data, Failure, Data, Key>,
  poll_ms = 15_000,
): UseQueryResult<Data, unknown> {
  const status = useLiveStatus();
  return usePolled(options, status === "live" ? poll_ms * SAFETY : poll_ms);
}

/** A read of something no bell rings for: asked again each `poll_ms` while the tab is visible. */
export function usePolled<Data, Failure, Key extends readonly unknown[]>(
  options: UseQueryOptions<Data, Failure, Data, Key>,
  poll_ms = 5_000,
): UseQueryResult<Data, unknown> {
  const shown = options as UseQueryOptions<Data, unknown, Data, Key>;
  return useQuery<Data, unknown, Data, Key>({ ...shown, refetchInterval: poll_ms });
}
