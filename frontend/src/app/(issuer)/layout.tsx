import type { ReactNode } from "react";
import { AreaShell } from "@/components/shell/area-shell";

export default function IssuerLayout({ children }: { children: ReactNode }) {
  return <AreaShell persona="issuer">{children}</AreaShell>;
}
