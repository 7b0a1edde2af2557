/** The one list of areas and pages: sidebar, palette and the persona matrix test all read it. */
export type Persona =
  | "investor"
  | "issuer"
  | "compliance_officer"
  | "transfer_agent"
  | "tokenization_agent"
  | "ats_operator"
  | "admin";

export interface NavPage {
  href: string;
  label: string;
  icon: string;
}

export interface Area {
  prefix: string;
  label: string;
  purpose: string;
  pages: readonly NavPage[];
}

export const AREAS: Record<Persona, Area> = {
  investor: {
    prefix: "/investor",
    label: "Investor",
    purpose: "Hold, subscribe, trade and redeem tokenized securities.",
    pages: [
      { href: "/investor", label: "Portfolio", icon: "wallet" },
      { href: "/investor/trade", label: "Trade", icon: "candles" },
      { href: "/investor/orders", label: "Orders and fills", icon: "list" },
      { href: "/investor/offerings", label: "Offerings", icon: "layers" },
      { href: "/investor/subscriptions", label: "Subscriptions", icon: "inbox" },
      { href: "/investor/payments", label: "Cash", icon: "banknote" },
      { href: "/investor/redemptions", label: "Redemptions", icon: "undo" },
      { href: "/investor/onboarding", label: "Profile and KYC", icon: "user" },
      { href: "/investor/learn", label: "Learn", icon: "book" },
    ],
  },
  issuer: {
    prefix: "/issuer",
    label: "Issuer",
    purpose: "Bring an offering to market and know its holders.",
    pages: [
      { href: "/issuer", label: "Offerings", icon: "layers" },
      { href: "/issuer/new-offering", label: "New offering", icon: "plus" },
      { href: "/issuer/subscriptions", label: "Subscriptions", icon: "inbox" },
      { href: "/issuer/cap-table", label: "Cap table", icon: "pie" },
      { href: "/issuer/onboarding", label: "Profile and KYB", icon: "user" },
    ],
  },
  compliance_officer: {
    prefix: "/compliance",
    label: "Compliance",
    purpose: "Decide who may hold what, and look into what looks wrong.",
    pages: [
      { href: "/compliance", label: "KYC queue", icon: "user" },
      { href: "/compliance/issuers", label: "Issuers", icon: "building" },
      { href: "/compliance/offerings", label: "Offerings", icon: "layers" },
      { href: "/compliance/kyt", label: "Transaction alerts", icon: "siren" },
      { href: "/compliance/surveillance", label: "Trade surveillance", icon: "eye" },
      { href: "/compliance/orders", label: "Orders", icon: "list" },
      { href: "/compliance/audit", label: "Audit trail", icon: "scroll" },
    ],
  },
  transfer_agent: {
    prefix: "/transfer-agent",
    label: "Transfer agent",
    purpose: "Keep the register of holders in step with the chain.",
    pages: [
      { href: "/transfer-agent", label: "Register", icon: "scroll" },
      { href: "/transfer-agent/redemptions", label: "Redemptions", icon: "undo" },
      { href: "/transfer-agent/holders", label: "Investors", icon: "user" },
    ],
  },
  tokenization_agent: {
    prefix: "/tokenization-agent",
    label: "Tokenization agent",
    purpose: "Deploy tokens and watch every operation to finality.",
    pages: [
      { href: "/tokenization-agent", label: "Chain operations", icon: "link" },
      { href: "/tokenization-agent/offerings", label: "Deployments", icon: "layers" },
      { href: "/tokenization-agent/register", label: "Register", icon: "scroll" },
    ],
  },
  ats_operator: {
    prefix: "/ats",
    label: "ATS operator",
    purpose: "Run the market: books, halts, orders and settlement.",
    pages: [
      { href: "/ats", label: "Market monitor", icon: "candles" },
      { href: "/ats/orders", label: "Orders", icon: "list" },
      { href: "/ats/settlements", label: "Settlements", icon: "link" },
      { href: "/ats/surveillance", label: "Trade surveillance", icon: "eye" },
    ],
  },
  admin: {
    prefix: "/admin",
    label: "Admin",
    purpose: "See that everything runs and who may sign in.",
    pages: [
      { href: "/admin", label: "Health", icon: "pulse" },
      { href: "/admin/users", label: "Users", icon: "user" },
      { href: "/admin/audit", label: "Audit trail", icon: "scroll" },
    ],
  },
};

export const PERSONAS = Object.keys(AREAS) as Persona[];

/** Where someone lands after signing in. */
export function homeOf(personas: readonly string[]): string {
  const first = PERSONAS.find((persona) => personas.includes(persona));
  return first ? AREAS[first].prefix : "/";
}

/** Whether `path` lies in an area; only such paths may be a place to return to after sign-in. */
export function isAreaPath(path: string): boolean {
  if (path.startsWith("//") || path.includes("\\")) return false;
  return PERSONAS.some((persona) => path === AREAS[persona].prefix || path.startsWith(`${AREAS[persona].prefix}/`));
}

/** The page of the area that a path belongs to: the longest matching address. */
export function activePage(area: Area, path: string): NavPage | undefined {
  const matches = area.pages.filter(
    ({ href }) => path === href || (href !== area.prefix && path.startsWith(`${href}/`)),
  );
  return matches.sort((a, b) => b.href.length - a.href.length)[0];
}
