"use client";

import { useQuery } from "@tanstack/react-query";
import { Command } from "cmdk";
import { useRouter } from "next/navigation";
import { Dialog } from "@/components/ui/dialog";
import { AREAS, type Persona } from "@/lib/nav";
import { queries } from "@/lib/use-queries";
import { PageIcon } from "./icon";

const ITEM = "flex h-9 cursor-pointer items-center gap-2.5 rounded px-2.5 data-[selected=true]:bg-raised";

/** Ctrl+K: every page of the person's areas, and the markets for those who trade. Loaded on first use. */
export default function Palette({ personas, onClose }: { personas: Persona[]; onClose: () => void }) {
  const router = useRouter();
  const trades = personas.includes("investor");
  const offerings = useQuery({ ...queries.offerings(), enabled: trades });
  const go = (href: string) => {
    onClose();
    router.push(href);
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => (open ? undefined : onClose())}
      title="Go to"
      description="Type a page or a symbol, then Enter."
    >
      <Command label="Go to">
        <Command.Input autoFocus placeholder="Page or symbol" className="mb-2 h-9 w-full rounded border bg-bg px-2.5" />
        <Command.List className="max-h-72 overflow-y-auto">
          <Command.Empty className="p-4 text-center text-muted">Nothing found.</Command.Empty>
          {personas.map((persona) => (
            <Command.Group key={persona} heading={AREAS[persona].label} className="text-xs text-muted">
              {AREAS[persona].pages.map((page) => (
                <Command.Item
                  key={page.href}
                  value={`${AREAS[persona].label} ${page.label}`}
                  onSelect={() => go(page.href)}
                  className={`${ITEM} text-sm text-ink`}
                >
                  <PageIcon name={page.icon} /> {page.label}
                </Command.Item>
              ))}
            </Command.Group>
          ))}
          {trades
            ? offerings.data?.data
                .filter(({ market_state }) => market_state !== "closed")
                .map(({ offering_id, symbol, name }) => (
                  <Command.Item
                    key={offering_id}
                    value={`trade ${symbol} ${name}`}
                    onSelect={() => go(`/investor/trade/${offering_id}`)}
                    className={ITEM}
                  >
                    <PageIcon name="candles" /> Trade {symbol}
                  </Command.Item>
                ))
            : null}
        </Command.List>
      </Command>
    </Dialog>
  );
}
