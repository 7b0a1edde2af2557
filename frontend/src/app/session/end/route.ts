import { isSameOrigin, seeOther } from "@/lib/form-post";
import { serverApi } from "@/lib/server-api";

/** Sign-out: ends the session at the api and drops the cookie, also when the api cannot be reached. */
export async function POST(request: Request): Promise<Response> {
  if (!isSameOrigin(request)) return new Response("This form must be sent from its own page.", { status: 403 });
  const api = serverApi(request.headers.get("cookie"));
  try {
    const { data } = await api.GET("/v1/auth/me");
    if (data) await api.DELETE("/v1/auth/sessions/current", { headers: { "x-csrf-token": data.csrf_token } });
  } catch (error) {
    if (!(error instanceof TypeError || error instanceof DOMException)) throw error; // unreachable: the cookie still goes
  }
  return seeOther("/login", ["tx_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"]);
}
