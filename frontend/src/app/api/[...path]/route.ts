import { apiUrl, sessionCookie } from "@/lib/server-api";

/**
 * /api/v1/… on this origin is /v1/… of the api. A route handler, not a rewrite in next.config: rewrites are fixed at build
 * time, and the address of the api is known only when the server starts. Bodies stream both ways, so server-sent events pass.
 */
const FORWARDED = [
  "accept",
  "content-type",
  "idempotency-key",
  "last-event-id",
  "origin",
  "prefer",
  "x-correlation-id",
  "x-csrf-token",
];
const RETURNED = [
  "cache-control",
  "content-disposition",
  "content-type",
  "etag",
  "location",
  "preference-applied",
  "retry-after",
  "x-correlation-id",
];

async function forward(request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const path = pathname.replace(/^\/api/, "");
  // Only the public part of the api. An encoded slash or dot could turn into another path behind us.
  if (!path.startsWith("/v1/") || /%2f|%5c|%2e|\.\./i.test(path))
    return problem(404, "route.not_found", "No such address.");
  try {
    return answer(await fetch(`${apiUrl()}${path}${search}`, await outgoing(request)));
  } catch (error) {
    if (request.signal.aborted) return new Response(null, { status: 499 });
    if (error instanceof TypeError) return problem(503, "dependency.unavailable", "The api does not answer.");
    throw error;
  }
}

async function outgoing(request: Request): Promise<RequestInit> {
  const headers = new Headers();
  for (const name of FORWARDED) {
    const value = request.headers.get(name);
    if (value) headers.set(name, value);
  }
  const cookie = sessionCookie(request.headers.get("cookie"));
  if (cookie) headers.set("cookie", cookie);
  const body = request.method === "GET" || request.method === "HEAD" ? undefined : await request.arrayBuffer();
  return { method: request.method, headers, body, redirect: "manual", cache: "no-store", signal: request.signal };
}

function answer(upstream: Response): Response {
  const headers = new Headers();
  for (const name of RETURNED) {
    const value = upstream.headers.get(name);
    if (value) headers.set(name, value);
  }
  for (const cookie of upstream.headers.getSetCookie()) headers.append("set-cookie", cookie);
  if (!headers.has("cache-control")) headers.set("cache-control", "private, no-store");
  headers.set("x-content-type-options", "nosniff");
  return new Response(upstream.body, { status: upstream.status, headers });
}

function problem(status: number, code: string, detail: string): Response {
  const body = {
    type: "about:blank",
    title: status === 404 ? "Not found" : "Service unavailable",
    status,
    detail,
    code,
  };
  const headers = { "content-type": "application/problem+json", ...(status === 503 ? { "retry-after": "1" } : {}) };
  return new Response(JSON.stringify(body), { status, headers });
}

export const dynamic = "force-dynamic";
export const runtime = "nodejs";
export { forward as DELETE, forward as GET, forward as PATCH, forward as POST, forward as PUT };
