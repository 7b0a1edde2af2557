/** A fresh random id; works without a secure context too, unlike crypto.randomUUID. */
export function freshId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A long id or address, short enough for a table: first characters after the prefix and the last four. */
export function shortId(id: string | null | undefined): string {
  if (!id) return "—";
  if (id.length <= 14) return id;
  const head = id.startsWith("0x") ? 6 : id.indexOf("_") + 5;
  return `${id.slice(0, head)}…${id.slice(-4)}`;
}
