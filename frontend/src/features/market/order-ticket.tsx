"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { type RefObject, useEffect, useMemo } from "react";
import { type UseFormReturn, useForm, useWatch } from "react-hook-form";
import { Button } from "@/components/ui/button";
import { SelectField, TextField } from "@/components/ui/field";
import { Panel } from "@/components/ui/panel";
import { cn } from "@/lib/cn";
import {
  add,
  compareDecimals,
  floorTo,
  formatMoney,
  formatUnits,
  multiply,
  parseDecimal,
  wholeSteps,
} from "@/lib/decimal";
import type { Touch } from "@/lib/ladder";
import { crossesSpread, estimate, type Ticket, ticketSchema, toNewOrder } from "@/lib/ticket";
import type { Offering, Portfolio } from "@/lib/types";
import { Eligibility } from "./eligibility";

export type TicketForm = UseFormReturn<Ticket>;

export const EMPTY_TICKET: Ticket = {
  side: "buy",
  type: "limit",
  time_in_force: "gtc",
  limit_price: "",
  quantity: "",
  post_only: false,
};

const VALIDITY: Record<Ticket["time_in_force"], string> = {
  gtc: "Stays in the book until filled or cancelled.",
  day: "Stays in the book until the day ends.",
  ioc: "Fills what it can at once; the rest is cancelled.",
  fok: "Fills whole at once, or not at all.",
};

interface Props {
  offering: Offering;
  touch: Touch;
  portfolio: Portfolio | undefined;
  formRef: RefObject<TicketForm | null>;
  onSubmit: (ticket: Ticket) => void;
}

/** Price before size; the estimate and the compliance verdict stand right above the button. */
export function OrderTicket({ offering, touch, portfolio, formRef, onSubmit }: Props) {
  const increments = { tick: offering.tick_size_amount, lot: offering.lot_size_units };
  const schema = useMemo(
    () => ticketSchema({ tick: increments.tick, lot: increments.lot }),
    [increments.tick, increments.lot],
  );
  const form = useForm<Ticket>({ resolver: zodResolver(schema), defaultValues: EMPTY_TICKET, mode: "onTouched" });
  useEffect(() => {
    formRef.current = form;
  }, [form, formRef]);
  useTicketKeys(form);
  const ticket = useWatch({ control: form.control }) as Ticket;
  const { errors } = form.formState;
  const opposite = ticket.side === "buy" ? touch.ask : touch.bid;
  const cost = estimate(ticket, opposite);
  const parsed = schema.safeParse(ticket);
  const set = (field: "limit_price" | "quantity", value: string) =>
    form.setValue(field, value, { shouldValidate: true, shouldDirty: true });
  return (
    <Panel title="Order ticket" className="self-start">
      <form
        noValidate
        className="space-y-3"
        onSubmit={form.handleSubmit((valid) => {
          onSubmit(valid);
          form.setValue("quantity", "");
        })}
      >
        <SideChoice form={form} side={ticket.side} />
        <div className="grid grid-cols-2 gap-2">
          <SelectField label="Type" {...form.register("type")}>
            <option value="limit">Limit</option>
            <option value="market">Market</option>
          </SelectField>
          <SelectField label="Valid" disabled={ticket.type === "market"} {...form.register("time_in_force")}>
            <option value="gtc">GTC</option>
            <option value="day">Day</option>
            <option value="ioc">IOC</option>
            <option value="fok">FOK</option>
          </SelectField>
        </div>
        <p className="-mt-1 text-xs text-muted">{VALIDITY[ticket.type === "market" ? "ioc" : ticket.time_in_force]}</p>
        {ticket.type === "limit" ? (
          <div>
            <TextField
              label={`Price in ${offering.currency}`}
              inputMode="decimal"
              className="text-right"
              error={errors.limit_price?.message}
              hint={`Tick ${increments.tick}`}
              {...form.register("limit_price")}
            />
            <Quick choices={priceChoices(touch, increments.tick)} onPick={(value) => set("limit_price", value)} />
          </div>
        ) : null}
        <div>
          <TextField
            label="Quantity in units"
            inputMode="numeric"
            className="text-right"
            error={errors.quantity?.message}
            hint={`Lot ${increments.lot}. ${availableText(ticket.side, offering, portfolio)}`}
            {...form.register("quantity")}
          />
          <Quick
            choices={quantityChoices(ticket, offering, touch, portfolio)}
            onPick={(value) => set("quantity", value)}
          />
        </div>
        {ticket.type === "limit" ? (
          <label className="flex min-h-6 items-center gap-2 text-xs text-muted">
            <input type="checkbox" className="size-4 accent-[var(--accent)]" {...form.register("post_only")} />
            Post only: never take from the book
          </label>
        ) : null}
        {errors.post_only ? <p className="text-xs text-down">{errors.post_only.message}</p> : null}
        <dl className="flex justify-between border-t pt-2 text-sm">
          <dt className="text-muted">{ticket.type === "market" ? "About" : "Value"}</dt>
          <dd className="font-semibold">{formatMoney(cost, offering.currency)}</dd>
        </dl>
        {cost && crossesSpread(ticket, opposite) ? (
          <p className="text-xs text-warn">
            {ticket.post_only
              ? "Would trade at once, so post only refuses it."
              : `Trades at once against the best ${ticket.side === "buy" ? "ask" : "bid"}, ${formatMoney(opposite)}.`}
          </p>
        ) : null}
        <Eligibility order={parsed.success ? toNewOrder(parsed.data, offering.offering_id, "preview") : null} />
        <Button type="submit" tone={ticket.side} className="h-10 w-full">
          {ticket.side === "buy" ? "Buy" : "Sell"} {offering.symbol}
        </Button>
        <p className="text-xs text-muted">
          Keys: <kbd>b</kbd> buy, <kbd>s</kbd> sell, <kbd>p</kbd> price, <kbd>q</kbd> quantity, <kbd>Esc</kbd> clear.
        </p>
      </form>
    </Panel>
  );
}

function SideChoice({ form, side }: { form: TicketForm; side: "buy" | "sell" }) {
  return (
    <fieldset className="grid grid-cols-2 gap-1 rounded bg-raised p-1">
      <legend className="sr-only">Side</legend>
      {(["buy", "sell"] as const).map((choice) => (
        <label
          key={choice}
          className={cn(
            "flex h-8 cursor-pointer items-center justify-center rounded text-sm font-medium text-muted has-focus-visible:outline-2 has-focus-visible:outline-accent",
            side === choice && (choice === "buy" ? "bg-up text-on-side" : "bg-down text-on-side"),
          )}
        >
          <input type="radio" value={choice} className="sr-only" {...form.register("side")} />
          {choice === "buy" ? "Buy" : "Sell"}
        </label>
      ))}
    </fieldset>
  );
}

function Quick({
  choices,
  onPick,
}: {
  choices: [label: string, value: string | null][];
  onPick: (value: string) => void;
}) {
  return (
    <div className="mt-1.5 flex gap-1">
      {choices.map(([label, value]) => (
        <Button
          key={label}
          size="sm"
          className="flex-1 px-1 text-muted"
          disabled={value === null}
          onClick={() => value !== null && onPick(value)}
        >
          {label}
        </Button>
      ))}
    </div>
  );
}

function priceChoices(touch: Touch, tick: string): [string, string | null][] {
  const mid = touch.bid && touch.ask ? floorTo(multiply(add(touch.bid, touch.ask), "0.5"), tick) : null;
  return [
    ["Bid", touch.bid],
    ["Mid", mid],
    ["Ask", touch.ask],
  ];
}

/** Quarters of what could be bought with the cash at hand, or sold of the units at hand, cut down to whole lots. */
function quantityChoices(
  ticket: Ticket,
  offering: Offering,
  touch: Touch,
  portfolio: Portfolio | undefined,
): [string, string | null][] {
  const most = reach(ticket, offering, touch, portfolio);
  return (["0.25", "0.5", "0.75", "1"] as const).map((part) => {
    const quantity = most && floorTo(multiply(most, part), offering.lot_size_units);
    return [
      `${multiply(part, "100").replace(/\.0+$/, "")}%`,
      quantity && compareDecimals(quantity, "0") > 0 ? quantity : null,
    ];
  });
}

function reach(ticket: Ticket, offering: Offering, touch: Touch, portfolio: Portfolio | undefined): string | null {
  if (!portfolio) return null;
  if (ticket.side === "sell")
    return portfolio.holdings.find(({ offering_id }) => offering_id === offering.offering_id)?.available_units ?? null;
  const typed = parseDecimal(ticket.limit_price) ? ticket.limit_price : null;
  const price = (ticket.type === "limit" ? typed : null) ?? touch.ask ?? offering.last_price_amount;
  return price ? wholeSteps(portfolio.cash.available, price).toString() : null;
}

function availableText(side: "buy" | "sell", offering: Offering, portfolio: Portfolio | undefined): string {
  if (!portfolio) return "";
  if (side === "buy") return `${formatMoney(portfolio.cash.available, portfolio.cash.currency)} available.`;
  const holding = portfolio.holdings.find(({ offering_id }) => offering_id === offering.offering_id);
  return `${formatUnits(holding?.available_units ?? "0")} units available.`;
}

/** Single keys, outside fields only; none of them sends anything. */
function useTicketKeys(form: TicketForm) {
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const inField =
        event.target instanceof HTMLElement && event.target.closest("input, select, textarea, [role=dialog]");
      if (event.key === "Escape" && !(event.target instanceof HTMLElement && event.target.closest("[role=dialog]"))) {
        form.reset({ ...form.getValues(), limit_price: "", quantity: "" });
      }
      if (inField || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "b") form.setValue("side", "buy");
      else if (event.key === "s") form.setValue("side", "sell");
      else if (event.key === "p") form.setFocus("limit_price");
      else if (event.key === "q") form.setFocus("quantity");
      else return;
      event.preventDefault();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [form]);
}
