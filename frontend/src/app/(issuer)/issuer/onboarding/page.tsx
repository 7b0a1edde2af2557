import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { IssuerOnboarding } from "@/features/people/issuer-onboarding";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Profile and KYB" };

export default function IssuerOnboardingPage() {
  return (
    <Prefetch reads={(queries) => [queries.myIssuer()]}>
      <PageHeader title="Profile and KYB" lead="The company behind the offerings." />
      <IssuerOnboarding />
    </Prefetch>
  );
}
