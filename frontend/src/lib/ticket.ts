import * as z from "zod/mini";
import { compareDecimals, isMultiple, isPositive, multiply, normalizeInput, parseDecimal } from "./decimal";

/** The order ticket's rules, before the api's: shape, tick and lot. */

export interface Increments {
  tick: string;
  lot: string;
}

const decimalText = z.string().check(z.overwrite(normalizeInput));

/** The form's values as typed; only limit orders need a price. */
export function ticketSchema({ tick, lot }: Increments) {
  return z
    .object({
      side: z.enum(["buy", "sell"]),
      type: z.enum(["limit", "market"]),
      time_in_force: z.enum(["gtc", "day", "ioc", "fok"]),
      limit_price: decimalText,
      quantity: decimalText,
      post_only: z.boolean(),
    })
    .check((context) => {
      const { limit_price, quantity, type, post_only, time_in_force } = context.value;
      const fail = (path: string, message: string) =>
        context.issues.push({ code: "custom", input: context.value, path: [path], message });
      const quantityFault = faultOf(quantity, lot, "Quantity", "lot");
      if (quantityFault) fail("quantity", quantityFault);
      const priceFault = type === "limit" ? faultOf(limit_price, tick, "Price", "tick") : null;
      if (priceFault) fail("limit_price", priceFault);
      if (post_only && (type === "market" || time_in_force === "ioc" || time_in_force === "fok")) {
        fail("post_only", "Post only needs a limit order that may rest: GTC or day.");
      }
    });
}

export type Ticket = z.infer<ReturnType<typeof ticketSchema>>;

function faultOf(text: string, step: string, noun: string, stepNoun: string): string | null {
  if (text === "") return `${noun} is required.`;
  if (!parseDecimal(text)) return `${noun} must be a number.`;
  if (!isPositive(text)) return `${noun} must be more than zero.`;
  if (!isMultiple(text, step)) return `${noun} must be a multiple of the ${stepNoun}, ${step}.`;
  return null;
}

/** The request body; a market order carries no limit price and cannot rest. */
export function toNewOrder(ticket: Ticket, offering_id: string, client_order_id: string) {
  const market = ticket.type === "market";
  return {
    client_order_id,
    offering_id,
    side: ticket.side,
    type: ticket.type,
    time_in_force: market ? ("ioc" as const) : ticket.time_in_force,
    quantity: ticket.quantity,
    ...(market ? {} : { limit_price: ticket.limit_price, post_only: ticket.post_only }),
  };
}

/** Price times quantity, or null while either is not a number. A market order is estimated at the best opposite price. */
export function estimate(ticket: Ticket, bestOpposite: string | null): string | null {
  const price = ticket.type === "market" ? bestOpposite : normalizeInput(ticket.limit_price);
  const quantity = normalizeInput(ticket.quantity);
  if (!price || !parseDecimal(price) || !parseDecimal(quantity)) return null;
  return multiply(price, quantity);
}

/** Whether a limit order would trade at once. */
export function crossesSpread(ticket: Ticket, bestOpposite: string | null): boolean {
  const price = normalizeInput(ticket.limit_price);
  if (ticket.type !== "limit" || !bestOpposite || !parseDecimal(price)) return false;
  const order = compareDecimals(price, bestOpposite);
  return ticket.side === "buy" ? order >= 0 : order <= 0;
}
