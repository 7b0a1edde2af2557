"use client";

import { LogOut, Menu, Search } from "lucide-react";
import dynamic from "next/dynamic";
import Link, { useLinkStatus } from "next/link";
import { usePathname } from "next/navigation";
import { type ReactNode, useEffect, useState } from "react";
import { Button } from "@/components/ui/button";
import { setCsrfToken } from "@/lib/api";
import { cn } from "@/lib/cn";
import { AREAS, type Area, activePage } from "@/lib/nav";
import type { Session } from "@/lib/session";
import { LiveProvider, useTopics } from "../live-provider";
import { Wordmark } from "../wordmark";
import { PageIcon } from "./icon";
import { LiveDot } from "./live-dot";
import { ThemeSwitch } from "./theme-switch";

const Palette = dynamic(() => import("./palette"), { ssr: false });

/** The frame of every signed-in page: top bar, sidebar, palette, stream. */
export function Shell({ area, session, children }: { area: Area; session: Session; children: ReactNode }) {
  setCsrfToken(session.csrfToken); // before the first child can act
  const [menuOpen, setMenuOpen] = useState(false);
  const [paletteOpen, setPaletteOpen] = usePaletteKey();
  const path = usePathname();
  // biome-ignore lint/correctness/useExhaustiveDependencies: going to another page closes the menu
  useEffect(() => setMenuOpen(false), [path]);
  return (
    <LiveProvider>
      <BaseTopics />
      <div className="grid min-h-dvh grid-cols-[minmax(0,1fr)] grid-rows-[auto_1fr] lg:grid-cols-[13rem_minmax(0,1fr)]">
        <header className="sticky top-0 z-30 flex h-12 items-center gap-2 border-b bg-panel px-3 lg:col-span-2">
          <Button
            size="icon"
            tone="ghost"
            className="lg:hidden"
            aria-label="Menu"
            aria-expanded={menuOpen}
            aria-controls="sidebar"
            onClick={() => setMenuOpen(!menuOpen)}
          >
            <Menu aria-hidden className="size-5" />
          </Button>
          <Link href={area.prefix} className="flex items-center rounded">
            <Wordmark />
          </Link>
          <span className="hidden text-muted sm:inline">{area.label}</span>
          <PersonaSwitch area={area} session={session} />
          <div className="ml-auto flex items-center gap-1.5">
            <LiveDot />
            <Button size="sm" className="hidden text-muted md:inline-flex" onClick={() => setPaletteOpen(true)}>
              <Search aria-hidden className="size-3.5" /> Search{" "}
              <kbd className="font-mono text-[0.6875rem]">Ctrl K</kbd>
            </Button>
            <ThemeSwitch />
            <span className="hidden max-w-40 truncate text-xs text-muted xl:inline">{session.displayName}</span>
            <form method="post" action="/session/end">
              <Button type="submit" size="icon" tone="ghost" aria-label="Sign out" title="Sign out">
                <LogOut aria-hidden className="size-4" />
              </Button>
            </form>
          </div>
        </header>
        <Sidebar area={area} path={path} open={menuOpen} />
        <main id="main" tabIndex={-1} className="min-w-0 p-3 outline-none md:p-5">
          {children}
        </main>
      </div>
      {paletteOpen ? <Palette personas={session.personas} onClose={() => setPaletteOpen(false)} /> : null}
    </LiveProvider>
  );
}

function Sidebar({ area, path, open }: { area: Area; path: string; open: boolean }) {
  const active = activePage(area, path);
  return (
    <nav
      id="sidebar"
      aria-label={area.label}
      className={cn(
        "border-b bg-panel p-2 lg:sticky lg:top-12 lg:block lg:h-[calc(100dvh-3rem)] lg:border-r lg:border-b-0",
        !open && "hidden",
      )}
    >
      <ul className="space-y-0.5">
        {area.pages.map((page) => (
          <li key={page.href}>
            <Link
              href={page.href}
              prefetch={false}
              aria-current={page === active ? "page" : undefined}
              className={cn(
                "flex h-9 items-center gap-2.5 rounded px-2.5 text-muted hover:bg-raised hover:text-ink",
                page === active && "bg-raised font-medium text-ink",
              )}
            >
              <PageIcon name={page.icon} />
              {page.label}
              <Pending />
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Says that the page behind this link is on its way: pages arrive whole, with their data. */
function Pending() {
  const { pending } = useLinkStatus();
  return pending ? (
    <span role="status" aria-label="Loading" className="ml-auto size-2 animate-pulse rounded-full bg-accent" />
  ) : null;
}

/** Links to the person's other areas, when there are any. */
function PersonaSwitch({ area, session }: { area: Area; session: Session }) {
  const others = session.personas.map((persona) => AREAS[persona]).filter((other) => other.prefix !== area.prefix);
  if (others.length === 0) return null;
  return (
    <details className="relative">
      <summary className="flex h-7 list-none items-center rounded border px-2 text-xs text-muted hover:bg-raised">
        Switch area
      </summary>
      <ul className="absolute left-0 top-8 z-40 w-44 rounded-md border bg-panel p-1 shadow-xl">
        {others.map((other) => (
          <li key={other.prefix}>
            <Link href={other.prefix} prefetch={false} className="block rounded px-2 py-1.5 hover:bg-raised">
              {other.label}
            </Link>
          </li>
        ))}
      </ul>
    </details>
  );
}

/** Every page holds the stream open, so that the dot tells the truth on pages without topics of their own too. */
function BaseTopics() {
  useTopics("chain");
  return null;
}

function usePaletteKey() {
  const state = useState(false);
  const [, setOpen] = state;
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      setOpen((open) => !open);
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, []);
  return state;
}
