import * as z from "zod/mini";
import { isMultiple, isPositive, normalizeInput, parseDecimal } from "./decimal";
import type { NewOffering } from "./types";

/** The form of a new offering: the shapes the api checks too, said before anything is sent. */

const cents = z.string().check(
  z.overwrite(normalizeInput),
  z.refine(
    (text) => isPositive(text) && (parseDecimal(text)?.scale ?? 9) <= 2,
    "An amount above zero with at most two decimals.",
  ),
);
const wholeUnits = z.string().check(
  z.overwrite(normalizeInput),
  z.refine((text) => isPositive(text) && parseDecimal(text)?.scale === 0, "A whole number above zero."),
);

export const offeringSchema = z
  .object({
    symbol: z.string().check(
      z.overwrite((text) => text.trim().toUpperCase()),
      z.regex(/^[A-Z][A-Z0-9]{1,9}$/, "A letter, then 1 to 9 letters or digits."),
    ),
    name: z.string().check(z.trim(), z.minLength(1, "Name is required.")),
    exemption: z.string(),
    unit_price_amount: cents,
    max_units: wholeUnits,
    tick_size_amount: cents,
    lot_size_units: wholeUnits,
    blocked_countries: z.string().check(
      z.overwrite((text) => text.trim().toUpperCase()),
      z.regex(/^([A-Z]{2}(\s*,\s*[A-Z]{2})*)?$/, "Two-letter codes separated by commas."),
    ),
  })
  .check((context) => {
    const { unit_price_amount, tick_size_amount, max_units, lot_size_units } = context.value;
    const fail = (path: string, message: string) =>
      context.issues.push({ code: "custom", input: context.value, path: [path], message });
    if (!isMultiple(unit_price_amount, tick_size_amount))
      fail("unit_price_amount", "The price must be a multiple of the tick.");
    if (!isMultiple(max_units, lot_size_units)) fail("max_units", "The maximum must be a whole number of lots.");
  });

export type OfferingInput = z.infer<typeof offeringSchema>;

export function toNewOffering({ blocked_countries, ...rest }: OfferingInput): NewOffering {
  return {
    ...rest,
    blocked_countries: blocked_countries.split(",").flatMap((code) => code.trim() || []),
  } as NewOffering;
}
