import type { ReactNode } from "react";
import { AreaShell } from "@/components/shell/area-shell";

export default function InvestorLayout({ children }: { children: ReactNode }) {
  return <AreaShell persona="investor">{children}</AreaShell>;
}
