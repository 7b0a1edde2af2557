import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { CapTableScreen } from "@/features/cap-table/cap-table-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Register" };

export default function TransferAgentPage() {
  return (
    <Prefetch reads={(queries) => [queries.offerings()]}>
      <PageHeader title="Register" lead="Holders by the books, reconciled with final balances on chain." />
      <CapTableScreen />
    </Prefetch>
  );
}
