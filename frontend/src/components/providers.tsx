"use client";

import { MutationCache, QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { setNonce } from "get-nonce";
import { ThemeProvider } from "next-themes";
import { type ReactNode, useEffect, useState } from "react";
import { Toaster } from "sonner";
import { isRetryable, toProblem } from "@/lib/problem";

/** An ended session sends the tab to sign-in, from wherever it noticed. */
function onError(error: unknown) {
  if (toProblem(error).status !== 401 || location.pathname === "/login") return;
  location.assign(`/login?next=${encodeURIComponent(location.pathname)}`);
}

function makeClient() {
  return new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        staleTime: 2_000,
        retry: (count, error) => count < 2 && isRetryable(error),
        refetchOnWindowFocus: true,
      },
      mutations: { retry: false },
    },
  });
}

export function Providers({ nonce, children }: { nonce: string; children: ReactNode }) {
  const [client] = useState(() => {
    if (typeof window !== "undefined") setNonce(nonce); // dialogs lock the page's scrolling with a style element
    return makeClient();
  });
  useEffect(() => {
    document.documentElement.dataset.hydrated = "true";
  }, []);
  return (
    <ThemeProvider attribute="class" defaultTheme="dark" enableSystem nonce={nonce} disableTransitionOnChange>
      <QueryClientProvider client={client}>
        {children}
        <Toaster
          position="top-right"
          offset={{ top: 56, right: 16 }}
          mobileOffset={{ top: 56 }}
          closeButton
          toastOptions={{ className: "!font-sans !bg-raised !text-ink !border-line" }}
        />
      </QueryClientProvider>
    </ThemeProvider>
  );
}
