import type { ReactNode } from "react";
import { AREAS, type Persona } from "@/lib/nav";
import { requirePersona } from "@/lib/session";
import { Shell } from "./shell";

/** The layout of one persona's area: asks the api who this is on every request, then draws the frame. */
export async function AreaShell({ persona, children }: { persona: Persona; children: ReactNode }) {
  const session = await requirePersona(persona);
  return (
    <Shell area={AREAS[persona]} session={session}>
      {children}
    </Shell>
  );
}
