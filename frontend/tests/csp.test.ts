import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { contentSecurityPolicy, STYLE_HASHES } from "@/lib/csp";

const read = (path: string) => readFileSync(new URL(`../node_modules/${path}`, import.meta.url), "utf8");
const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const quoted = (source: string, pattern: RegExp): string => JSON.parse(pattern.exec(source)?.[1] ?? "null");

it("allows exactly the styles the pinned libraries write", () => {
  const sonner = quoted(read("sonner/dist/index.mjs"), /__insertCSS\(("(?:[^"\\]|\\.)*")\)/);
  const charts = quoted(
    read("lightweight-charts/dist/lightweight-charts.production.mjs"),
    /innerText=("a#tv-attr-logo[^"]*")/,
  );
  expect([...STYLE_HASHES].sort()).toEqual(["", sonner, charts].map(hash).sort());
});

it("never lets inline or evaluated scripts run in production", () => {
  const scripts = contentSecurityPolicy("n0nce", false)
    .split("; ")
    .find((directive) => directive.startsWith("script-src"));
  expect(scripts).toBe("script-src 'self' 'nonce-n0nce' 'strict-dynamic'");
});
