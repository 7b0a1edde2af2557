import "server-only";
import createFetchClient from "openapi-fetch";
import createQueryClient from "openapi-react-query";
import type { paths } from "./api-types";

/** Where the api listens; read when a request comes, so one build runs anywhere. */
export function apiUrl(): string {
  return (process.env.API_URL ?? "http://127.0.0.1:8100").replace(/\/$/, "");
}

const SESSION_COOKIES = new Set(["tx_session", "__Host-tx_session"]);

/** Only the session cookie out of a Cookie header; nothing else is the api's business. */
export function sessionCookie(cookieHeader: string | null): string {
  return (cookieHeader ?? "")
    .split(/;\s*/)
    .filter((pair) => SESSION_COOKIES.has(pair.split("=", 1)[0] ?? ""))
    .join("; ");
}

/** A typed client that speaks for the person whose request this is. */
export function serverApi(cookieHeader: string | null) {
  return createFetchClient<paths>({
    baseUrl: apiUrl(),
    headers: { cookie: sessionCookie(cookieHeader) },
    fetch: (request) => fetch(request, { cache: "no-store", signal: AbortSignal.timeout(5_000) }),
  });
}

export const serverQueries = (cookieHeader: string | null) => createQueryClient(serverApi(cookieHeader));
