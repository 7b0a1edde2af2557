"use client";

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { toast } from "sonner";
import { unwrap } from "./api";
import { toProblem } from "./problem";

type Call<T> = Promise<{ data?: T; error?: unknown; response: Response }>;

/**
 * A command to the api: says `done` when it worked, shows the problem when not, and refreshes what is on screen either way,
 * since a refusal often means that the screen was old.
 */
export function useAct<Input, T>(
  call: (input: Input) => Call<T>,
  options: { done: string | ((result: T) => string); quiet?: boolean },
) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: Input) => unwrap(call(input)),
    onSuccess: (result) => {
      toast.success(typeof options.done === "string" ? options.done : options.done(result));
    },
    onError: (error) => {
      if (options.quiet) return; // the caller shows it beside the form
      const problem = toProblem(error);
      const handles = [problem.code, problem.correlation_id].filter(Boolean).join(" · ");
      toast.error(problem.detail || problem.title, { description: handles, duration: 12_000 });
    },
    onSettled: () => {
      void client.invalidateQueries();
    },
  });
}
