import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import { AREAS, activePage, homeOf, isAreaPath, PERSONAS } from "@/lib/nav";

it.each(PERSONAS.flatMap((persona) => AREAS[persona].pages.map(({ href }) => href)))("%s has a page", (href) => {
  const group = href.split("/")[1];
  expect(existsSync(new URL(`../src/app/(${group})${href}/page.tsx`, import.meta.url))).toBe(true);
});

it("marks the nearest page as current", () => {
  expect(activePage(AREAS.investor, "/investor/trade/off_1")?.href).toBe("/investor/trade");
  expect(activePage(AREAS.investor, "/investor")?.href).toBe("/investor");
});

it.each(["//evil.example", "/\\evil.example", "https://evil.example", "/investors", "/login", ""])(
  "refuses %j as a place to return to",
  (path) => {
    expect(isAreaPath(path)).toBe(false);
  },
);

it("finds a home for every persona", () => {
  expect(PERSONAS.map((persona) => homeOf([persona]))).toEqual(PERSONAS.map((persona) => AREAS[persona].prefix));
  expect(homeOf([])).toBe("/");
});
