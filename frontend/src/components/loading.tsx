/** Stands in while a page's first reads are fetched. */
export function Loading() {
  return (
    <div role="status" className="space-y-3">
      <span className="sr-only">Loading</span>
      <div aria-hidden className="h-7 w-48 animate-pulse rounded bg-raised" />
      <div aria-hidden className="h-64 animate-pulse rounded-md bg-raised" />
    </div>
  );
}
