"use client";

import { Id, When } from "@/components/cells";
import { type Column, DataTable } from "@/components/data-table";
import { usePolled } from "@/components/live-provider";
import { Badge } from "@/components/ui/badge";
import type { User } from "@/lib/types";
import { queries } from "@/lib/use-queries";

const COLUMNS: readonly Column<User>[] = [
  {
    header: "Name",
    value: (row) => row.display_name,
    cell: (row) => <span className="font-medium">{row.display_name}</span>,
  },
  { header: "E-mail", value: (row) => row.email },
  { header: "Personas", value: (row) => row.personas.join(", ").replaceAll("_", " ") },
  { header: "State", value: (row) => row.status, cell: (row) => <Badge state={row.status} /> },
  { header: "Since", value: (row) => row.created_at, cell: (row) => <When at={row.created_at} /> },
  { header: "Id", value: (row) => row.user_id, cell: (row) => <Id value={row.user_id} /> },
];

export function UsersScreen() {
  const users = usePolled(queries.users(), 30_000);
  return (
    <DataTable
      label="Users"
      query={users}
      columns={COLUMNS}
      rowId={(row) => row.user_id}
      empty="No users."
      filterable
    />
  );
}
