import { expect, it } from "vitest";
import { isRetryable, toProblem } from "@/lib/problem";

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
