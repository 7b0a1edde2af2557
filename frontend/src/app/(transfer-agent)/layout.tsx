import type { ReactNode } from "react";
import { AreaShell } from "@/components/shell/area-shell";

export default function TransferAgentLayout({ children }: { children: ReactNode }) {
  return <AreaShell persona="transfer_agent">{children}</AreaShell>;
}
