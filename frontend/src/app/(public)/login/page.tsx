import type { Metadata } from "next";
import Link from "next/link";
import { Button } from "@/components/ui/button";
import { TextField } from "@/components/ui/field";
import { isAreaPath } from "@/lib/nav";

export const metadata: Metadata = { title: "Sign in" };

const MESSAGES: Record<string, string> = {
  "dependency.unavailable": "The service cannot be reached just now. Try again in a moment.",
  "auth.too_many_attempts": "Too many attempts. Wait a minute, then try again.",
};

/** A plain form: it works before scripts have loaded, and without them. */
export default async function LoginPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | undefined>>;
}) {
  const { error, next, registered } = await searchParams;
  return (
    <div className="mx-auto w-full max-w-sm px-4 py-16">
      <h1 className="text-xl font-semibold tracking-tight">Sign in</h1>
      {registered ? (
        <p role="status" className="mt-2 text-up">
          Your account is ready. Sign in to continue.
        </p>
      ) : null}
      <form method="post" action="/session" className="mt-5 space-y-3 rounded-md border bg-panel p-4">
        {error ? (
          <p role="alert" className="rounded border border-down/40 bg-down-bar p-2">
            {MESSAGES[error] ?? "E-mail or password is wrong."}{" "}
            <code className="font-mono text-xs text-muted">{error}</code>
          </p>
        ) : null}
        {next && isAreaPath(next) ? <input type="hidden" name="next" value={next} /> : null}
        <TextField label="E-mail" name="email" type="email" autoComplete="username" required autoFocus />
        <TextField label="Password" name="password" type="password" autoComplete="current-password" required />
        <Button type="submit" tone="primary" className="w-full">
          Sign in
        </Button>
      </form>
      <p className="mt-3 text-muted">
        No account?{" "}
        <Link href="/register" className="text-accent underline underline-offset-2">
          Open one
        </Link>{" "}
        as investor or issuer.
      </p>
    </div>
  );
}
