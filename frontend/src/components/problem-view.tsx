import type { ReactNode } from "react";
import { reasonText, toProblem } from "@/lib/problem";

/** What went wrong, what to do about it, and the two handles support needs: code and correlation id. */
export function ProblemView({ error, action }: { error: unknown; action?: ReactNode }) {
  const problem = toProblem(error);
  return (
    <div role="alert" className="rounded border border-down/40 bg-down-bar p-3 text-sm">
      <p className="font-medium">{problem.detail || problem.title}</p>
      {problem.reasons?.length ? (
        <ul className="mt-1 list-disc pl-5">
          {problem.reasons.map((reason) => (
            <li key={`${reason.rule_id}${reason.code}`}>
              {reasonText(reason)} {reason.rule_id ? <span className="text-muted">({reason.rule_id})</span> : null}
            </li>
          ))}
        </ul>
      ) : null}
      {problem.errors?.length ? (
        <ul className="mt-1 list-disc pl-5">
          {problem.errors.map((fault) => (
            <li key={`${fault.pointer}${fault.code}`}>
              {fault.pointer ? <code className="font-mono text-xs">{fault.pointer}</code> : null} {fault.message}
            </li>
          ))}
        </ul>
      ) : null}
      <p className="mt-1 break-all font-mono text-xs text-muted">
        {problem.code}
        {problem.correlation_id ? ` · ${problem.correlation_id}` : ""}
      </p>
      {action ? <div className="mt-2">{action}</div> : null}
    </div>
  );
}
