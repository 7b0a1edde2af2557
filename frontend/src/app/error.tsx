"use client";

import { Button } from "@/components/ui/button";

/** A page that could not be drawn at all, most often because the api does not answer. */
export default function PageError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <main id="main" className="mx-auto max-w-md px-4 py-24 text-center">
      <h1 className="text-xl font-semibold">This page could not be shown</h1>
      <p className="mt-2 text-muted">The service behind it did not answer. Nothing you did was lost.</p>
      {error.digest ? <p className="mt-2 font-mono text-xs text-muted">{error.digest}</p> : null}
      <Button tone="primary" className="mt-4" onClick={() => reset()}>
        Try again
      </Button>
    </main>
  );
}
