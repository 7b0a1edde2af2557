import type { paths } from "./api-types";

/** Views by the noun the screens use. Taken from the routes, not from schema names, so a renamed schema changes nothing here. */
type Json<T> = T extends { content: { "application/json": infer Body } } ? Body : never;
type Answer<Path extends keyof paths> = paths[Path] extends { get: { responses: { 200: infer R } } } ? Json<R> : never;
type Row<Path extends keyof paths> = Answer<Path> extends { data: (infer Item)[] } ? Item : never;

export type Portfolio = Answer<"/v1/portfolio">;
export type Holding = Portfolio["holdings"][number];
export type Investor = Row<"/v1/investors">;
export type Issuer = Row<"/v1/issuers">;
export type Offering = Row<"/v1/offerings">;
export type CapTable = Answer<"/v1/offerings/{offering_id}/cap-table">;
export type Holder = CapTable["data"][number];
export type Book = Answer<"/v1/offerings/{offering_id}/book">;
export type Level = Book["bids"][number];
export type Trade = Row<"/v1/offerings/{offering_id}/trades">;
export type Candle = Row<"/v1/offerings/{offering_id}/candles">;
export type Payment = Row<"/v1/payments">;
export type Subscription = Row<"/v1/subscriptions">;
export type Order = Row<"/v1/orders">;
export type Execution = Row<"/v1/executions">;
export type Settlement = Row<"/v1/settlements">;
export type Redemption = Row<"/v1/redemptions">;
export type KytAlert = Row<"/v1/kyt/alerts">;
export type SurveillanceAlert = Row<"/v1/surveillance/alerts">;
export type Market = Row<"/v1/ats/markets">;
export type Operation = Row<"/v1/chain/operations">;
export type AuditEvent = Row<"/v1/audit/events">;
export type AuditVerification = Answer<"/v1/audit/verification">;
export type User = Row<"/v1/admin/users">;
export type Course = Row<"/v1/courses">;
export type NewOrder = paths["/v1/orders"]["post"]["requestBody"]["content"]["application/json"];
export type NewOffering = paths["/v1/offerings"]["post"]["requestBody"]["content"]["application/json"];
