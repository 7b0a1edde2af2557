import type { ReactNode } from "react";
import { AreaShell } from "@/components/shell/area-shell";

export default function TokenizationAgentLayout({ children }: { children: ReactNode }) {
  return <AreaShell persona="tokenization_agent">{children}</AreaShell>;
}
