import { describe, expect, it, vi } from "vitest";
import { depthOf, toRungs, touchOf } from "@/lib/ladder";
import { createPump, isStale, streamUrl } from "@/lib/live";
import { reduceLocalOrders } from "@/lib/local-orders";

const order = { clientOrderId: "c1", side: "buy" as const, quantity: "10", limitPrice: "1.00" };
const problem = { status: 403, title: "Refused", detail: "no", code: "compliance.denied" };

describe("local orders", () => {
  it("keep a refused order until it is dismissed", () => {
    const sent = reduceLocalOrders([], { type: "sent", order });
    const refused = reduceLocalOrders(sent, { type: "refused", clientOrderId: "c1", problem });
    expect(refused).toEqual([{ ...order, state: "refused", problem }]);
    expect(reduceLocalOrders(refused, { type: "dismissed", clientOrderId: "c1" })).toEqual([]);
  });

  it("show an order sent again once", () => {
    const refused = reduceLocalOrders(reduceLocalOrders([], { type: "sent", order }), {
      type: "refused",
      clientOrderId: "c1",
      problem,
    });
    expect(reduceLocalOrders(refused, { type: "sent", order })).toEqual([{ ...order, state: "sending" }]);
  });
});

describe("the stream", () => {
  const book = ["get", "/v1/offerings/{offering_id}/book", { params: { path: { offering_id: "off_1" } } }];

  it("makes only the topic's reads stale, and only of its offering", () => {
    expect(isStale(book, "book:off_1")).toBe(true);
    expect(isStale(book, "book:off_2")).toBe(false);
    expect(isStale(book, "orders")).toBe(false);
    expect(isStale(["get", "/v1/portfolio"], "orders")).toBe(true);
    expect(isStale(["get", "/v1/ats/markets"], "book:off_2")).toBe(true);
  });

  it("has one address for one set of topics", () => {
    expect(streamUrl(["orders", "book:off_1", "orders"])).toBe("/api/v1/stream?topics=book%3Aoff_1,orders");
  });

  it("turns a burst of bells into two reads and loses none", async () => {
    let finish = (): void => undefined;
    const refresh = vi.fn(
      () =>
        new Promise<void>((resolve) => {
          finish = resolve;
        }),
    );
    const ring = createPump(refresh);
    const first = ring("orders");
    for (let bell = 0; bell < 50; bell++) void ring("orders");
    finish();
    await vi.waitFor(() => expect(refresh).toHaveBeenCalledTimes(2));
    finish();
    await first;
    expect(refresh).toHaveBeenCalledTimes(2);
  });
});

describe("the ladder", () => {
  const levels = [
    { price: "1.00", quantity: "10", orders: 1 },
    { price: "0.95", quantity: "30", orders: 2 },
  ];

  it("cumulates from the best price and scales bars to the deeper side", () => {
    expect(depthOf(levels)).toBe("40");
    expect(toRungs(levels, "80").map(({ cumulative, share_bp }) => [cumulative, share_bp])).toEqual([
      ["10", 1250],
      ["40", 5000],
    ]);
  });

  it("has no spread when a side is empty", () => {
    expect(touchOf({ bids: levels, asks: [] })).toEqual({ bid: "1.00", ask: null, spread: null });
  });
});
