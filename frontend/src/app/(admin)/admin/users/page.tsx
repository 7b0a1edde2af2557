import type { Metadata } from "next";
import { PageHeader } from "@/components/ui/panel";
import { UsersScreen } from "@/features/admin/users-screen";
import { Prefetch } from "@/lib/prefetch";

export const metadata: Metadata = { title: "Users" };

export default function AdminUsersPage() {
  return (
    <Prefetch reads={(queries) => [queries.users()]}>
      <PageHeader title="Users" lead="Who may sign in, and as what." />
      <UsersScreen />
    </Prefetch>
  );
}
