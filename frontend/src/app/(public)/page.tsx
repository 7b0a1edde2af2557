import Link from "next/link";
import { buttonStyle } from "@/components/ui/button";
import { AREAS, PERSONAS } from "@/lib/nav";

const STEPS = [
  ["Decide", "Every order passes the compliance gate first; a refusal names the rule and the remedy."],
  ["Match", "A native order book fills by price, then time, and its log can be replayed to the same result."],
  ["Settle", "Units and cash change hands in one transaction on chain, under an ERC-3643 contract that checks again."],
  ["Register", "The register of holders follows final blocks only, and shows any difference at once."],
] as const;

export default function LandingPage() {
  return (
    <div className="mx-auto max-w-5xl px-4 py-14 md:py-20">
      <h1 className="max-w-2xl text-3xl font-semibold tracking-tight md:text-4xl">
        Issue, trade and settle tokenized securities on one open platform.
      </h1>
      <p className="mt-3 max-w-2xl text-base text-muted">
        Token-x joins issuance, compliance, its own alternative trading system and on-chain settlement.
      </p>
      <div className="mt-6 flex flex-wrap gap-2">
        <Link href="/login" prefetch={false} className={buttonStyle({ tone: "primary" })}>
          Sign in
        </Link>
        <Link href="/register" prefetch={false} className={buttonStyle()}>
          Open an account
        </Link>
      </div>
      <h2 className="mt-14 text-xs font-semibold uppercase tracking-wide text-muted">The path of an order</h2>
      <ol className="mt-3 grid gap-px overflow-hidden rounded-md border bg-line sm:grid-cols-2 lg:grid-cols-4">
        {STEPS.map(([name, text], index) => (
          <li key={name} className="bg-panel p-4">
            <p className="font-mono text-xs text-muted">{index + 1}</p>
            <p className="mt-1 font-semibold">{name}</p>
            <p className="mt-1 text-muted">{text}</p>
          </li>
        ))}
      </ol>
      <h2 className="mt-10 text-xs font-semibold uppercase tracking-wide text-muted">Seven desks</h2>
      <dl className="mt-3 grid gap-x-8 gap-y-3 sm:grid-cols-2">
        {PERSONAS.map((persona) => (
          <div key={persona} className="border-t pt-2">
            <dt className="font-medium">{AREAS[persona].label}</dt>
            <dd className="text-muted">{AREAS[persona].purpose}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
