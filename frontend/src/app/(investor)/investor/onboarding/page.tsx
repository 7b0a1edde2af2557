import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { InvestorOnboarding } from "@/features/people/investor-onboarding";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Profile and KYC" };

export default function InvestorOnboardingPage() {
  return (
    <Prefetch reads={(queries) => [queries.myInvestor()]}>
      <PageHeader title="Profile and KYC" lead="Who you are, and what that lets you do." />
      <InvestorOnboarding />
    </Prefetch>
  );
}
