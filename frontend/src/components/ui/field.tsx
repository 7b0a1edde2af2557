import { type ComponentProps, type ReactNode, useId } from "react";
import { cn } from "@/lib/cn";

export const controlStyle =
  "h-9 w-full min-w-0 rounded border bg-bg px-2.5 text-sm text-ink placeholder:text-muted aria-[invalid=true]:border-down disabled:opacity-60";

interface Shared {
  label: string;
  hint?: ReactNode;
  error?: string;
}

/** Label, control, hint and error, tied together for assistive technology. */
function Frame({ id, label, hint, error, children }: Shared & { id: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 block text-xs font-medium text-muted">
        {label}
      </label>
      {children}
      {error ? (
        <p id={`${id}-error`} className="mt-1 text-xs text-down">
          {error}
        </p>
      ) : null}
      {hint && !error ? (
        <p id={`${id}-hint`} className="mt-1 text-xs text-muted">
          {hint}
        </p>
      ) : null}
    </div>
  );
}

function described(id: string, { hint, error }: Omit<Shared, "label">) {
  return {
    "aria-invalid": error ? true : undefined,
    "aria-describedby": error ? `${id}-error` : hint ? `${id}-hint` : undefined,
  } as const;
}

export function TextField({ label, hint, error, className, ...rest }: Shared & ComponentProps<"input">) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <input
        id={id}
        className={cn(controlStyle, className)}
        autoComplete="off"
        {...described(id, { hint, error })}
        {...rest}
      />
    </Frame>
  );
}

export function SelectField({ label, hint, error, className, children, ...rest }: Shared & ComponentProps<"select">) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <select id={id} className={cn(controlStyle, className)} {...described(id, { hint, error })} {...rest}>
        {children}
      </select>
    </Frame>
  );
}

export function TextArea({ label, hint, error, className, ...rest }: Shared & ComponentProps<"textarea">) {
  const id = useId();
  return (
    <Frame id={id} label={label} hint={hint} error={error}>
      <textarea
        id={id}
        rows={3}
        className={cn(controlStyle, "h-auto py-2", className)}
        {...described(id, { hint, error })}
        {...rest}
      />
    </Frame>
  );
}

/** A small select with its name beside it, for the head of a table. */
export function FilterSelect({ label, children, ...rest }: { label: string } & ComponentProps<"select">) {
  return (
    <label className="flex items-center gap-1.5 text-xs text-muted">
      {label}
      <select className="h-7 rounded border bg-bg px-1.5 text-xs text-ink" {...rest}>
        {children}
      </select>
    </label>
  );
}
