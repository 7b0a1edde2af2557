import Link from "next/link";

export default function NotFound() {
  return (
    <main id="main" className="mx-auto max-w-md px-4 py-24 text-center">
      <h1 className="text-xl font-semibold">Nothing here</h1>
      <p className="mt-2 text-muted">The page does not exist, or it is not yours to see.</p>
      <Link href="/" className="mt-4 inline-block text-accent underline underline-offset-2">
        Go to the start
      </Link>
    </main>
  );
}
