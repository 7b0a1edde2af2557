/**
 * Decimal strings, exactly. The api sends every amount, price and quantity as a string; nothing here passes through a float.
 * A Decimal is digits × 10^-scale.
 */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const PATTERN = /^(-)?(\d{1,30})(?:\.(\d{1,18}))?$/;

/** The decimal in a wire string, or null when it is not one ("1e3", "1,5", ""). */
export function parseDecimal(text: string): Decimal | null {
  const match = PATTERN.exec(text.trim());
  if (!match) return null;
  const fraction = match[3] ?? "";
  const magnitude = BigInt((match[2] ?? "0") + fraction);
  return { digits: match[1] ? -magnitude : magnitude, scale: fraction.length };
}

/** What a person typed, as a wire string: spaces go, a decimal comma becomes a point, grouping commas go ("1,234.50" -> "1234.50"). */
export function normalizeInput(typed: string): string {
  const compact = typed.replace(/[\s\u00a0_']/g, "");
  if (compact.includes(".")) return compact.replace(/,(?=\d{3}(\D|$))/g, "");
  return /^-?\d+,\d+$/.test(compact) ? compact.replace(",", ".") : compact;
}

function aligned(a: Decimal, b: Decimal): [bigint, bigint, number] {
  const scale = Math.max(a.scale, b.scale);
  return [rescale(a, scale), rescale(b, scale), scale];
}

/** digits at a larger or equal scale. */
function rescale(value: Decimal, scale: number): bigint {
  return value.digits * 10n ** BigInt(scale - value.scale);
}

function compare(a: Decimal, b: Decimal): number {
  const [x, y] = aligned(a, b);
  return x < y ? -1 : x > y ? 1 : 0;
}

function toText(value: Decimal): string {
  const sign = value.digits < 0n ? "-" : "";
  const digits = (value.digits < 0n ? -value.digits : value.digits).toString().padStart(value.scale + 1, "0");
  if (value.scale === 0) return sign + digits;
  return `${sign}${digits.slice(0, -value.scale)}.${digits.slice(-value.scale)}`;
}

function must(text: string): Decimal {
  const value = parseDecimal(text);
  if (!value) throw new Error(`not a decimal: ${JSON.stringify(text)}`);
  return value;
}

/** -1, 0 or 1. Absent and unreadable values sort first. */
export function compareDecimals(a: string | null | undefined, b: string | null | undefined): number {
  const x = a == null ? null : parseDecimal(a);
  const y = b == null ? null : parseDecimal(b);
  if (!x || !y) return Number(Boolean(x)) - Number(Boolean(y));
  return compare(x, y);
}

export function add(a: string, b: string): string {
  const [x, y, scale] = aligned(must(a), must(b));
  return toText({ digits: x + y, scale });
}

export function subtract(a: string, b: string): string {
  const [x, y, scale] = aligned(must(a), must(b));
  return toText({ digits: x - y, scale });
}

export function multiply(a: string, b: string): string {
  const [x, y] = [must(a), must(b)];
  return toText({ digits: x.digits * y.digits, scale: x.scale + y.scale });
}

/** How many whole times `step` fits into `value`, towards zero; 0n when step is zero. */
export function wholeSteps(value: string, step: string): bigint {
  const [x, y] = aligned(must(value), must(step));
  return y === 0n ? 0n : x / y;
}

/** Whether value is a whole multiple of step. */
export function isMultiple(value: string, step: string): boolean {
  const [x, y] = aligned(must(value), must(step));
  return y !== 0n && x % y === 0n;
}

/** value cut down to a whole multiple of step. */
export function floorTo(value: string, step: string): string {
  return multiply(wholeSteps(value, step).toString(), step);
}

export function isPositive(text: string): boolean {
  const value = parseDecimal(text);
  return value !== null && value.digits > 0n;
}

/** part of whole in hundredths of a percent, for bars and shares; 0 when whole is zero. A small integer, so a number is safe. */
export function basisPoints(part: string, whole: string): number {
  const [x, y] = aligned(must(part), must(whole));
  return y === 0n ? 0 : Number((x * 10_000n) / y);
}

function group(integer: string): string {
  return integer.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
}

/** A decimal string for people: grouped, with at least `places` decimals and none dropped. "—" for null. */
export function formatDecimal(text: string | null | undefined, places = 0): string {
  if (text == null) return "—";
  const value = parseDecimal(text);
  if (!value) return text;
  const padded = value.scale < places ? { digits: rescale(value, places), scale: places } : value;
  const [integer = "0", fraction] = toText(padded).split(".");
  const sign = integer.startsWith("-") ? "−" : "";
  return sign + group(integer.replace("-", "")) + (fraction ? `.${fraction}` : "");
}

/** Money for people: two decimals or more, currency after. */
export function formatMoney(amount: string | null | undefined, currency?: string): string {
  const text = formatDecimal(amount, 2);
  return currency && amount != null ? `${text} ${currency}` : text;
}

/** Units of a security for people: a whole number, grouped. */
export function formatUnits(units: string | null | undefined): string {
  return formatDecimal(units, 0);
}
