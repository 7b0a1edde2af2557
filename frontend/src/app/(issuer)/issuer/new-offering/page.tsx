import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { OfferingForm } from "@/features/offerings/offering-form";

export const metadata: Metadata = { title: "New offering" };

export default function IssuerNewOfferingPage() {
  return (
    <>
      <PageHeader title="New offering" lead="Compliance approves it, then its token is deployed, then you open it." />
      <OfferingForm />
    </>
  );
}
