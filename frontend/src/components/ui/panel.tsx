import type { ReactNode } from "react";
import { cn } from "@/lib/cn";

/** A titled surface; the heading names the region for screen readers. */
export function Panel(props: {
  title: string;
  actions?: ReactNode;
  children: ReactNode;
  className?: string;
  flush?: boolean;
}) {
  const id = `panel-${props.title.toLowerCase().replace(/[^a-z0-9]+/g, "-")}`;
  return (
    <section aria-labelledby={id} className={cn("min-w-0 rounded-md border bg-panel", props.className)}>
      <div className="flex min-h-10 flex-wrap items-center justify-between gap-2 border-b px-3 py-1">
        <h2 id={id} className="text-xs font-semibold uppercase tracking-wide text-muted">
          {props.title}
        </h2>
        {props.actions}
      </div>
      <div className={props.flush ? "" : "p-3"}>{props.children}</div>
    </section>
  );
}

/** A page's heading: one h1, one sentence, actions at the right. */
export function PageHeader({ title, lead, actions }: { title: string; lead?: ReactNode; actions?: ReactNode }) {
  return (
    <div className="mb-4 flex flex-wrap items-end justify-between gap-3">
      <div className="min-w-0">
        <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
        {lead ? <p className="mt-0.5 max-w-prose text-muted">{lead}</p> : null}
      </div>
      {actions ? <div className="flex flex-wrap gap-2">{actions}</div> : null}
    </div>
  );
}

/** A figure with its name. */
export function Stat({ label, value, note }: { label: string; value: ReactNode; note?: ReactNode }) {
  return (
    <div className="min-w-0 rounded-md border bg-panel px-3 py-2">
      <dt className="text-xs text-muted">{label}</dt>
      <dd className="truncate text-lg font-semibold">{value}</dd>
      {note ? <dd className="text-xs text-muted">{note}</dd> : null}
    </div>
  );
}

export function Stats({ children }: { children: ReactNode }) {
  return <dl className="mb-4 grid grid-cols-2 gap-2 md:grid-cols-4">{children}</dl>;
}
