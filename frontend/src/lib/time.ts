/** RFC 3339 instants for people, always in UTC so that every desk reads the same clock. */

const DATE_TIME = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  year: "numeric",
  month: "short",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});
const TIME = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hour12: false,
});
const DATE = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", year: "numeric", month: "short", day: "2-digit" });

function format(formatter: Intl.DateTimeFormat, instant: string | null | undefined): string {
  if (!instant) return "—";
  const date = new Date(instant);
  return Number.isNaN(date.getTime()) ? instant : formatter.format(date);
}

export const formatDateTime = (instant: string | null | undefined) => format(DATE_TIME, instant);
export const formatTime = (instant: string | null | undefined) => format(TIME, instant);
export const formatDate = (instant: string | null | undefined) => format(DATE, instant);
