import type { Metadata } from "next";
import Link from "next/link";
import { buttonStyle } from "@/components/ui/button";
import { PageHeader } from "@/components/ui/panel";
import { IssuerOfferings } from "@/features/offerings/desk-offerings";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Offerings" };

export default function IssuerPage() {
  return (
    <Prefetch reads={(queries) => [queries.offerings(), queries.myIssuer()]}>
      <PageHeader
        title="Offerings"
        lead="From draft to an open issue."
        actions={
          <Link href="/issuer/new-offering" className={buttonStyle({ tone: "primary" })}>
            New offering
          </Link>
        }
      />
      <IssuerOfferings />
    </Prefetch>
  );
}
