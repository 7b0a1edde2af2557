import Link from "next/link";
import type { ReactNode } from "react";
import { ThemeSwitch } from "@/components/shell/theme-switch";
import { buttonStyle } from "@/components/ui/button";
import { Wordmark } from "@/components/wordmark";

export default function PublicLayout({ children }: { children: ReactNode }) {
  return (
    <div className="flex min-h-dvh flex-col">
      <header className="flex h-12 items-center gap-2 border-b bg-panel px-4">
        <Link href="/" className="flex items-center rounded">
          <Wordmark />
        </Link>
        <nav aria-label="Account" className="ml-auto flex items-center gap-2">
          <ThemeSwitch />
          <Link href="/login" prefetch={false} className={buttonStyle({ size: "sm" })}>
            Sign in
          </Link>
        </nav>
      </header>
      <main id="main" tabIndex={-1} className="flex-1 outline-none">
        {children}
      </main>
    </div>
  );
}
