import { Id } from "@/components/cells";
import type { Column } from "@/components/data-table";
import { Badge } from "@/components/ui/badge";
import { formatDate } from "@/lib/time";
import type { Investor } from "@/lib/types";

export const INVESTOR_COLUMNS: readonly Column<Investor>[] = [
  {
    header: "Investor",
    value: (row) => row.legal_name,
    cell: (row) => <span className="font-medium">{row.legal_name}</span>,
  },
  { header: "Country", value: (row) => row.country },
  { header: "KYC", value: (row) => row.kyc_status, cell: (row) => <Badge state={row.kyc_status} /> },
  { header: "Valid until", value: (row) => row.kyc_expires_at, cell: (row) => formatDate(row.kyc_expires_at) },
  {
    header: "Frozen",
    value: (row) => (row.frozen ? "frozen" : ""),
    cell: (row) => (row.frozen ? <Badge state="frozen" /> : "—"),
  },
  { header: "Wallet", value: (row) => row.wallets[0]?.address, cell: (row) => <Id value={row.wallets[0]?.address} /> },
  {
    header: "On chain",
    value: (row) => row.wallets[0]?.status,
    cell: (row) => (row.wallets[0] ? <Badge state={row.wallets[0].status} /> : "—"),
  },
  { header: "Id", value: (row) => row.investor_id, cell: (row) => <Id value={row.investor_id} /> },
];
