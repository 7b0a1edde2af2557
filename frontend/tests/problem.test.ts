import { expect, it } from "vitest";
import { isRetryable, reasonText, toProblem } from "@/lib/problem";

it("keeps the api's code and correlation id", () => {
  const sent = {
    type: "about:blank",
    title: "x",
    status: 403,
    detail: "no",
    code: "compliance.denied",
    correlation_id: "c",
  };
  expect(toProblem(sent)).toMatchObject({ code: "compliance.denied", correlation_id: "c", detail: "no" });
});

it("asks again after trouble, never after a mistake", () => {
  expect(isRetryable(new TypeError("Failed to fetch"))).toBe(true);
  expect(isRetryable({ status: 503, code: "dependency.unavailable" })).toBe(true);
  expect(isRetryable({ status: 422, code: "validation_failed" })).toBe(false);
});

it("says what stands in the way and what would help", () => {
  const reason = { code: "LOCKUP", message: "these units are locked up until 2027-05-01" };
  const remedy = { type: "earliest_at", value: "2027-05-01T00:00:00Z" };
  expect(reasonText({ ...reason, remedy })).toBe(
    "These units are locked up until 2027-05-01. Possible from 01 May 2027.",
  );
  expect(reasonText({ ...reason, remedy: { type: "none", value: null } })).toBe(
    "These units are locked up until 2027-05-01.",
  );
});
