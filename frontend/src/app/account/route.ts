import { field, isSameOrigin, seeOther } from "@/lib/form-post";
import { toProblem } from "@/lib/problem";
import { apiUrl } from "@/lib/server-api";

/** Registration of an investor or issuer: form fields display_name, email, password, persona. Ends at the sign-in page. */
export async function POST(request: Request): Promise<Response> {
  if (!isSameOrigin(request)) return new Response("This form must be sent from its own page.", { status: 403 });
  const form = await request.formData();
  const names = ["display_name", "email", "password", "persona"] as const;
  const body = Object.fromEntries(names.map((name) => [name, field(form, name)]));
  try {
    const answer = await fetch(`${apiUrl()}/v1/auth/register`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      cache: "no-store",
      signal: AbortSignal.timeout(10_000),
    });
    if (answer.ok) return seeOther("/login?registered=1");
    const { code } = toProblem(await answer.json().catch(() => null)); // a proxy's error page is not JSON
    return seeOther(`/register?error=${encodeURIComponent(code)}`);
  } catch (error) {
    if (error instanceof TypeError || error instanceof DOMException)
      return seeOther("/register?error=dependency.unavailable");
    throw error;
  }
}
