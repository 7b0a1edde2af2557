/** The product's name as drawn. */
export function Wordmark() {
  return (
    <span className="inline-flex items-center gap-2 font-semibold tracking-tight">
      <svg aria-hidden="true" viewBox="0 0 32 32" className="size-5">
        <rect width="32" height="32" rx="7" fill="#1d5bd0" />
        <path d="M8 10h16M16 10v13" stroke="#fff" strokeWidth="3.4" strokeLinecap="round" />
        <path d="M8 23h3M21 23h3M8 17h3M21 17h3" stroke="#fff" strokeWidth="2.2" strokeLinecap="round" opacity=".65" />
      </svg>
      Token-x
    </span>
  );
}
