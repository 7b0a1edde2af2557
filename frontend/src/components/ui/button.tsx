import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

export const buttonStyle = cva(
  "inline-flex items-center justify-center gap-1.5 whitespace-nowrap rounded font-medium transition-colors disabled:cursor-not-allowed disabled:opacity-50",
  {
    variants: {
      tone: {
        primary: "bg-accent text-on-accent hover:brightness-110",
        outline: "border bg-panel text-ink hover:bg-raised",
        ghost: "text-muted hover:bg-raised hover:text-ink",
        danger: "border border-down/50 bg-panel text-down hover:bg-down-bar",
        buy: "bg-up text-on-side hover:brightness-110",
        sell: "bg-down text-on-side hover:brightness-110",
      },
      size: { md: "h-9 px-3 text-sm", sm: "h-7 px-2 text-xs", icon: "size-8" },
    },
    defaultVariants: { tone: "outline", size: "md" },
  },
);

export function Button({
  tone,
  size,
  className,
  type = "button",
  ...rest
}: ComponentProps<"button"> & VariantProps<typeof buttonStyle>) {
  return <button type={type} className={cn(buttonStyle({ tone, size }), className)} {...rest} />;
}
