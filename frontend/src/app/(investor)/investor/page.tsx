import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { PortfolioScreen } from "@/features/portfolio/portfolio-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Portfolio" };

export default function InvestorPage() {
  return (
    <Prefetch reads={(queries) => [queries.portfolio(), queries.settlements()]}>
      <PageHeader title="Portfolio" lead="What you hold, what is reserved, and what is still settling." />
      <PortfolioScreen />
    </Prefetch>
  );
}
