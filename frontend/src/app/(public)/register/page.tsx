import type { Metadata } from "next";
import { Button } from "@/components/ui/button";
import { SelectField, TextField } from "@/components/ui/field";

export const metadata: Metadata = { title: "Open an account" };

const MESSAGES: Record<string, string> = {
  "dependency.unavailable": "The service cannot be reached just now. Try again in a moment.",
  validation_failed: "Something in the form is not accepted. A password needs at least 10 characters.",
  "user.email_taken": "There is already an account with this e-mail.",
};

export default async function RegisterPage({
  searchParams,
}: {
  searchParams: Promise<Record<string, string | undefined>>;
}) {
  const { error } = await searchParams;
  return (
    <div className="mx-auto w-full max-w-sm px-4 py-16">
      <h1 className="text-xl font-semibold tracking-tight">Open an account</h1>
      <form method="post" action="/account" className="mt-5 space-y-3 rounded-md border bg-panel p-4">
        {error ? (
          <p role="alert" className="rounded border border-down/40 bg-down-bar p-2">
            {MESSAGES[error] ?? "The account could not be opened."}{" "}
            <code className="font-mono text-xs text-muted">{error}</code>
          </p>
        ) : null}
        <SelectField label="I am an" name="persona" defaultValue="investor">
          <option value="investor">Investor</option>
          <option value="issuer">Issuer</option>
        </SelectField>
        <TextField label="Name" name="display_name" autoComplete="name" required maxLength={100} />
        <TextField label="E-mail" name="email" type="email" autoComplete="username" required />
        <TextField
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          required
          minLength={10}
          hint="At least 10 characters."
        />
        <Button type="submit" tone="primary" className="w-full">
          Open account
        </Button>
      </form>
    </div>
  );
}
