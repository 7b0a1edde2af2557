import "server-only";
import { headers } from "next/headers";
import { redirect } from "next/navigation";
import { cache } from "react";
import { AREAS, homeOf, type Persona } from "./nav";
import { serverApi } from "./server-api";

/** What the browser may know about its session. */
export interface Session {
  userId: string;
  displayName: string;
  email: string;
  personas: Persona[];
  hasProfile: boolean;
  csrfToken: string;
}

/** The session behind this request, or null. Asked of the api once per request; throws when the api cannot be reached. */
export const getSession = cache(async (): Promise<Session | null> => {
  const cookie = (await headers()).get("cookie");
  const { data, response } = await serverApi(cookie).GET("/v1/auth/me");
  if (response.status === 401) return null;
  if (!data) throw new Error(`the api answered ${response.status} to /v1/auth/me`);
  return {
    userId: data.user_id,
    displayName: data.display_name,
    email: data.email,
    personas: data.personas as Persona[],
    hasProfile: Boolean(data.investor_id ?? data.issuer_id),
    csrfToken: data.csrf_token,
  };
});

/** The session, which must hold the persona: strangers go to sign-in, others to their own area. */
export async function requirePersona(persona: Persona): Promise<Session> {
  const session = await getSession();
  if (!session) {
    const path = (await headers()).get("x-pathname") ?? AREAS[persona].prefix;
    redirect(`/login?next=${encodeURIComponent(path)}`);
  }
  if (!session.personas.includes(persona)) redirect(homeOf(session.personas));
  return session;
}
