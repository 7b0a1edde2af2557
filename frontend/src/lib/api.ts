import createFetchClient, { type Middleware } from "openapi-fetch";
import createQueryClient from "openapi-react-query";
import type { paths } from "./api-types";
import { freshId } from "./ids";
import { type Problem, toProblem } from "./problem";

/** The typed client of the browser. It only ever talks to this origin; the route handler under /api forwards to the api. */
export const api = createFetchClient<paths>({ baseUrl: "/api" });

let csrfToken = "";

/** Called once by the shell with the session's token; unsafe calls carry it. */
export function setCsrfToken(token: string): void {
  csrfToken = token;
}

const attachHeaders: Middleware = {
  onRequest({ request }) {
    request.headers.set("x-correlation-id", freshId());
    if (request.method !== "GET") request.headers.set("x-csrf-token", csrfToken);
    return request;
  },
};
api.use(attachHeaders);

export const $api = createQueryClient(api);

/** The data of a call, or the api's problem thrown. */
export async function unwrap<T>(call: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await call;
  if (response.ok) return data as T;
  const problem: Problem = toProblem(error);
  throw problem.status >= 400 ? problem : { ...problem, status: response.status };
}
