import { describe, expect, it } from "vitest";
import { crossesSpread, estimate, type Ticket, ticketSchema, toNewOrder } from "@/lib/ticket";

const schema = ticketSchema({ tick: "0.05", lot: "10" });
const aTicket = (change: Partial<Ticket> = {}): Ticket => ({
  side: "buy",
  type: "limit",
  time_in_force: "gtc",
  limit_price: "25.05",
  quantity: "100",
  post_only: false,
  ...change,
});
const faults = (change: Partial<Ticket>) =>
  Object.fromEntries(
    (schema.safeParse(aTicket(change)).error?.issues ?? []).map(({ path, message }) => [path.join("."), message]),
  );

describe("the ticket", () => {
  it("passes a good order and normalizes what was typed", () => {
    expect(schema.parse(aTicket({ limit_price: "25,05", quantity: "1 000" }))).toMatchObject({
      limit_price: "25.05",
      quantity: "1000",
    });
  });

  it("names each fault beside its field", () => {
    expect(faults({ limit_price: "25.06", quantity: "15" })).toEqual({
      limit_price: "Price must be a multiple of the tick, 0.05.",
      quantity: "Quantity must be a multiple of the lot, 10.",
    });
    expect(faults({ limit_price: "", quantity: "-10" })).toEqual({
      limit_price: "Price is required.",
      quantity: "Quantity must be more than zero.",
    });
  });

  it("needs no price for a market order, and never lets it rest", () => {
    const ticket = aTicket({ type: "market", limit_price: "" });
    expect(schema.safeParse(ticket).success).toBe(true);
    expect(toNewOrder(ticket, "off_1", "c1")).toEqual({
      client_order_id: "c1",
      offering_id: "off_1",
      side: "buy",
      type: "market",
      time_in_force: "ioc",
      quantity: "100",
    });
  });

  it("refuses post only where nothing may rest", () => {
    expect(Object.keys(faults({ post_only: true, time_in_force: "ioc" }))).toEqual(["post_only"]);
  });

  it("estimates exactly, and tells when it would trade at once", () => {
    expect(estimate(aTicket({ limit_price: "25.05", quantity: "3" }), null)).toBe("75.15");
    expect(estimate(aTicket({ type: "market" }), null)).toBeNull();
    expect(crossesSpread(aTicket({ limit_price: "25.05" }), "25.05")).toBe(true);
    expect(crossesSpread(aTicket({ side: "sell", limit_price: "25.05" }), "25.00")).toBe(false);
  });
});
