import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { DeployPlatform, OperationsScreen } from "@/features/chain/operations-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Chain operations" };

export default function TokenizationAgentPage() {
  return (
    <Prefetch reads={(queries) => [queries.operations(), queries.chainStatus()]}>
      <PageHeader
        title="Chain operations"
        lead="Every intent sent to a chain, until it is final."
        actions={<DeployPlatform />}
      />
      <OperationsScreen />
    </Prefetch>
  );
}
