import {
  Banknote,
  BookOpen,
  Building2,
  CandlestickChart,
  ChartPie,
  Eye,
  HeartPulse,
  Inbox,
  Layers,
  Link2,
  List,
  type LucideIcon,
  Plus,
  ScrollText,
  Siren,
  Undo2,
  UserRound,
  Wallet,
} from "lucide-react";

const ICONS: Record<string, LucideIcon> = {
  banknote: Banknote,
  book: BookOpen,
  building: Building2,
  candles: CandlestickChart,
  eye: Eye,
  inbox: Inbox,
  layers: Layers,
  link: Link2,
  list: List,
  pie: ChartPie,
  plus: Plus,
  pulse: HeartPulse,
  scroll: ScrollText,
  siren: Siren,
  undo: Undo2,
  user: UserRound,
  wallet: Wallet,
};

/** The icon of a page in nav.ts. */
export function PageIcon({ name }: { name: string }) {
  const Icon = ICONS[name] ?? List;
  return <Icon aria-hidden className="size-4 shrink-0" />;
}
