import type { OpenapiQueryClient } from "openapi-react-query";
import type { paths } from "./api-types";

export const PAGE_SIZE = 100;

/** What a list's filter may be, by the generated types: never null, "" is spelled undefined. */
type Filter<Path extends keyof paths, Name extends string> = paths[Path] extends {
  get: { parameters: { query?: { [key in Name]?: infer Value } } };
}
  ? NonNullable<Value>
  : never;

export type KycStatus = Filter<"/v1/investors", "kyc_status">;
export type SettlementStatus = Filter<"/v1/settlements", "status">;
export type AlertStatus = Filter<"/v1/kyt/alerts", "status">;
export type OperationState = Filter<"/v1/chain/operations", "state">;

/**
 * Every read of the app, once. The server prefetches with its own client, the browser reads with $api; both build their
 * query keys here, so a prefetched page asks nothing again.
 */
export function queriesFor(api: OpenapiQueryClient<paths>) {
  const page = (cursor?: string) => ({ limit: PAGE_SIZE, ...(cursor ? { cursor } : {}) });
  return {
    portfolio: () => api.queryOptions("get", "/v1/portfolio"),
    myInvestor: () => api.queryOptions("get", "/v1/investors/me"),
    investors: (kyc_status?: KycStatus) =>
      api.queryOptions("get", "/v1/investors", {
        params: { query: { ...page(), ...(kyc_status ? { kyc_status } : {}) } },
      }),
    myIssuer: () => api.queryOptions("get", "/v1/issuers/me"),
    issuers: () => api.queryOptions("get", "/v1/issuers", { params: { query: page() } }),
    offerings: () => api.queryOptions("get", "/v1/offerings", { params: { query: page() } }),
    offering: (offering_id: string) =>
      api.queryOptions("get", "/v1/offerings/{offering_id}", { params: { path: { offering_id } } }),
    capTable: (offering_id: string) =>
      api.queryOptions("get", "/v1/offerings/{offering_id}/cap-table", { params: { path: { offering_id } } }),
    book: (offering_id: string) =>
      api.queryOptions("get", "/v1/offerings/{offering_id}/book", {
        params: { path: { offering_id }, query: { depth: 20 } },
      }),
    trades: (offering_id: string) =>
      api.queryOptions("get", "/v1/offerings/{offering_id}/trades", {
        params: { path: { offering_id }, query: { limit: 50 } },
      }),
    candles: (offering_id: string, interval: "1m" | "5m" | "1h") =>
      api.queryOptions("get", "/v1/offerings/{offering_id}/candles", {
        params: { path: { offering_id }, query: { interval } },
      }),
    payments: () => api.queryOptions("get", "/v1/payments", { params: { query: page() } }),
    subscriptions: () => api.queryOptions("get", "/v1/subscriptions", { params: { query: page() } }),
    orders: (filter: { status?: string; offering_id?: string; cursor?: string } = {}) => {
      const { cursor, ...rest } = filter;
      return api.queryOptions("get", "/v1/orders", { params: { query: { ...page(cursor), ...rest } } });
    },
    executions: (offering_id?: string) =>
      api.queryOptions("get", "/v1/executions", {
        params: { query: { limit: PAGE_SIZE, ...(offering_id ? { offering_id } : {}) } },
      }),
    settlements: (filter: { status?: SettlementStatus; cursor?: string } = {}) => {
      const { cursor, ...rest } = filter;
      return api.queryOptions("get", "/v1/settlements", { params: { query: { ...page(cursor), ...rest } } });
    },
    redemptions: () => api.queryOptions("get", "/v1/redemptions", { params: { query: page() } }),
    kytAlerts: (status?: AlertStatus) =>
      api.queryOptions("get", "/v1/kyt/alerts", { params: { query: { ...page(), ...(status ? { status } : {}) } } }),
    surveillanceAlerts: (status?: AlertStatus) =>
      api.queryOptions("get", "/v1/surveillance/alerts", {
        params: { query: { ...page(), ...(status ? { status } : {}) } },
      }),
    markets: () => api.queryOptions("get", "/v1/ats/markets"),
    operations: (filter: { state?: OperationState; cursor?: string } = {}) => {
      const { cursor, ...rest } = filter;
      return api.queryOptions("get", "/v1/chain/operations", { params: { query: { ...page(cursor), ...rest } } });
    },
    chainStatus: () => api.queryOptions("get", "/v1/chain/status"),
    auditEvents: (filter: { subject_id?: string; cursor?: string } = {}) => {
      const { cursor, ...rest } = filter;
      return api.queryOptions("get", "/v1/audit/events", { params: { query: { ...page(cursor), ...rest } } });
    },
    courses: () => api.queryOptions("get", "/v1/courses"),
    course: (course_id: string) =>
      api.queryOptions("get", "/v1/courses/{course_id}", { params: { path: { course_id } } }),
    statement: (redemption_id: string) =>
      api.queryOptions("get", "/v1/redemptions/{redemption_id}/statement", { params: { path: { redemption_id } } }),
    users: () => api.queryOptions("get", "/v1/admin/users", { params: { query: page() } }),
    health: () => api.queryOptions("get", "/v1/admin/health"),
  };
}

export type Queries = ReturnType<typeof queriesFor>;
