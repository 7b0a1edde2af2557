import { formatMoney, formatUnits } from "./decimal";
import { formatDate } from "./time";

/** problem+json as the api writes it, and everything else that can go wrong made to look like it. */
export interface Reason {
  code: string;
  rule_id?: string;
  message: string;
  remedy?: Remedy;
}

/** What would turn a refusal into an allow; value is text whose meaning the type tells. */
export interface Remedy {
  type: string;
  value: string | null;
}

export interface Problem {
  status: number;
  title: string;
  detail: string;
  code: string;
  correlation_id?: string;
  decision_id?: string;
  errors?: { pointer?: string; code: string; message: string }[];
  reasons?: Reason[];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Any thrown value as a Problem. Network failures get code "network.unreachable", status 0. */
export function toProblem(thrown: unknown): Problem {
  if (isRecord(thrown) && typeof thrown.code === "string" && typeof thrown.status === "number") {
    const detail = typeof thrown.detail === "string" ? thrown.detail : "";
    return { ...thrown, title: String(thrown.title ?? thrown.code), detail } as Problem;
  }
  if (thrown instanceof TypeError) {
    return {
      status: 0,
      title: "No connection",
      detail: "The server could not be reached. Check the connection and try again.",
      code: "network.unreachable",
    };
  }
  const detail =
    thrown instanceof Error
      ? thrown.message
      : typeof thrown === "string" && thrown
        ? thrown.slice(0, 300)
        : "Unexpected answer from the server.";
  return { status: 500, title: "Unexpected error", detail, code: "internal" };
}

/** The remedy in words; "" when there is none, or when the message has said it already. */
function remedyText({ type, value }: Remedy): string {
  switch (type) {
    case "earliest_at":
      return value ? `Possible from ${formatDate(value)}.` : "";
    case "max_quantity":
      return `At most ${formatUnits(value)} units are possible now.`;
    case "max_amount":
      return `At most ${formatMoney(value)} is possible now.`;
    case "document":
      return value === "kyc" ? "Complete your identity check under Profile and KYC." : `Hand in: ${value}.`;
    case "support":
      return "Ask the platform's support.";
    default:
      return "";
  }
}

/** One reason as sentences: what stands in the way, then what would help. */
export function reasonText({ message, remedy }: Reason): string {
  const cause = `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? "" : "."}`;
  return [cause, remedy ? remedyText(remedy) : ""].filter(Boolean).join(" ");
}

/** Whether asking again can help: not when the caller was wrong. */
export function isRetryable(thrown: unknown): boolean {
  const { status } = toProblem(thrown);
  return status === 0 || status >= 500;
}
