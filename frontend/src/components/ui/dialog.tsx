"use client";

import { X } from "lucide-react";
import { Dialog as Primitive } from "radix-ui";
import type { ReactNode } from "react";
import { cn } from "@/lib/cn";

/** A modal window; focus is trapped and returns, Escape closes. */
export function Dialog(props: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <Primitive.Root open={props.open} onOpenChange={props.onOpenChange}>
      <Primitive.Portal>
        <Primitive.Overlay className="fixed inset-0 z-40 bg-black/60" />
        <Primitive.Content
          className={cn(
            "fixed left-1/2 top-[12vh] z-50 max-h-[80vh] w-[min(30rem,calc(100vw-2rem))] -translate-x-1/2 overflow-y-auto rounded-lg border bg-panel p-4 shadow-2xl",
            props.className,
          )}
        >
          <Primitive.Title className="pr-8 text-base font-semibold">{props.title}</Primitive.Title>
          <Primitive.Description asChild>
            <div className="mt-1 mb-3 text-muted">{props.description}</div>
          </Primitive.Description>
          {props.children}
          <Primitive.Close
            className="absolute right-3 top-3 inline-flex size-7 items-center justify-center rounded text-muted hover:bg-raised"
            aria-label="Close"
          >
            <X aria-hidden className="size-4" />
          </Primitive.Close>
        </Primitive.Content>
      </Primitive.Portal>
    </Primitive.Root>
  );
}
