import { field, isSameOrigin, seeOther } from "@/lib/form-post";
import { homeOf, isAreaPath } from "@/lib/nav";
import { toProblem } from "@/lib/problem";
import { apiUrl } from "@/lib/server-api";

/** Sign-in: form fields email, password, next. Sets the api's session cookie and goes to the area. */
export async function POST(request: Request): Promise<Response> {
  if (!isSameOrigin(request)) return new Response("This form must be sent from its own page.", { status: 403 });
  const form = await request.formData();
  const next = field(form, "next");
  const answer = await openSession(field(form, "email").trim(), field(form, "password"));
  if (!answer) return seeOther(back("dependency.unavailable", next));
  const body: unknown = await answer.json().catch(() => null); // a proxy's error page is not JSON
  if (!answer.ok) return seeOther(back(toProblem(body).code, next));
  const { user } = body as { user: { personas: string[] } };
  return seeOther(isAreaPath(next) ? next : homeOf(user.personas), answer.headers.getSetCookie());
}

async function openSession(email: string, password: string): Promise<Response | null> {
  try {
    return await fetch(`${apiUrl()}/v1/auth/sessions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ email, password }),
      cache: "no-store",
      signal: AbortSignal.timeout(10_000),
    });
  } catch (error) {
    if (error instanceof TypeError || error instanceof DOMException) return null; // refused, reset or timed out
    throw error;
  }
}

function back(code: string, next: string): string {
  const query = new URLSearchParams({ error: code, ...(isAreaPath(next) ? { next } : {}) });
  return `/login?${query}`;
}
