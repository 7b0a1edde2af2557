import type { ReactNode } from "react";
import { AreaShell } from "@/components/shell/area-shell";

export default function AtsLayout({ children }: { children: ReactNode }) {
  return <AreaShell persona="ats_operator">{children}</AreaShell>;
}
