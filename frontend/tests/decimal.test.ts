import { describe, expect, it } from "vitest";
import * as decimal from "@/lib/decimal";

describe("decimals", () => {
  it("adds and multiplies exactly where floats do not", () => {
    expect(decimal.add("0.1", "0.2")).toBe("0.3");
    expect(decimal.multiply("1.15", "100")).toBe("115.00");
    expect(decimal.multiply("9007199254740993.01", "3")).toBe("27021597764222979.03");
    expect(decimal.subtract("1", "1.005")).toBe("-0.005");
  });

  it("compares by value, not by text, and sorts absent values first", () => {
    expect(decimal.compareDecimals("10", "9.99")).toBe(1);
    expect(decimal.compareDecimals("1.50", "1.5")).toBe(0);
    expect(decimal.compareDecimals(null, "-1")).toBe(-1);
  });

  it("knows multiples of a tick and cuts down to a lot", () => {
    expect(decimal.isMultiple("25.05", "0.05")).toBe(true);
    expect(decimal.isMultiple("25.06", "0.05")).toBe(false);
    expect(decimal.isMultiple("1", "0")).toBe(false);
    expect(decimal.floorTo("119.9", "10")).toBe("110");
  });

  it.each(["", "1e3", "1,5", "0x1", "--1", ".5", "NaN"])("refuses %j as a decimal", (text) => {
    expect(decimal.parseDecimal(text)).toBeNull();
  });

  it("understands what people type", () => {
    expect(decimal.normalizeInput(" 1,234.50 ")).toBe("1234.50");
    expect(decimal.normalizeInput("12,5")).toBe("12.5");
    expect(decimal.normalizeInput("1 000")).toBe("1000");
    expect(decimal.normalizeInput("1.2.3")).toBe("1.2.3");
  });

  it("formats without dropping a digit", () => {
    expect(decimal.formatMoney("1234567.5", "USD")).toBe("1,234,567.50 USD");
    expect(decimal.formatMoney("-0.005")).toBe("−0.005");
    expect(decimal.formatMoney(null, "USD")).toBe("—");
    expect(decimal.formatUnits("1000")).toBe("1,000");
  });

  it("gives shares in hundredths of a percent", () => {
    expect(decimal.basisPoints("1", "3")).toBe(3333);
    expect(decimal.basisPoints("1", "0")).toBe(0);
  });
});
