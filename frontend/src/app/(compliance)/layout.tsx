import type { ReactNode } from "react";
import { AreaShell } from "@/components/shell/area-shell";

export default function ComplianceLayout({ children }: { children: ReactNode }) {
  return <AreaShell persona="compliance_officer">{children}</AreaShell>;
}
