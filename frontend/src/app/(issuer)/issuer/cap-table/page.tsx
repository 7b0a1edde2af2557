import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { CapTableScreen } from "@/features/cap-table/cap-table-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Cap table" };

export default function IssuerCapTablePage() {
  return (
    <Prefetch reads={(queries) => [queries.offerings(), queries.myIssuer()]}>
      <PageHeader title="Cap table" lead="Who holds your securities, by the books and on chain." />
      <CapTableScreen own />
    </Prefetch>
  );
}
