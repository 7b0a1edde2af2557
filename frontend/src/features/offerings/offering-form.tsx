"use client";

import { zodResolver } from "@hookform/resolvers/zod";
import { useRouter } from "next/navigation";
import { useForm } from "react-hook-form";
import { ProblemView } from "@/components/problem-view";
import { Button } from "@/components/ui/button";
import { SelectField, TextField } from "@/components/ui/field";
import { api } from "@/lib/api";
import { type OfferingInput, offeringSchema, toNewOffering } from "@/lib/offering-form";
import { useAct } from "@/lib/use-act";
import { EXEMPTIONS } from "./columns";

const DEFAULTS: OfferingInput = {
  symbol: "",
  name: "",
  exemption: "reg_d_506c",
  unit_price_amount: "",
  max_units: "",
  tick_size_amount: "0.01",
  lot_size_units: "1",
  blocked_countries: "",
};

export function OfferingForm() {
  const router = useRouter();
  const create = useAct((input: OfferingInput) => api.POST("/v1/offerings", { body: toNewOffering(input) }), {
    done: "Offering created; compliance looks at it next",
    quiet: true,
  });
  const form = useForm<OfferingInput>({
    resolver: zodResolver(offeringSchema),
    defaultValues: DEFAULTS,
    mode: "onTouched",
  });
  const { errors } = form.formState;
  const submit = form.handleSubmit((input) => create.mutate(input, { onSuccess: () => router.push("/issuer") }));
  return (
    <form noValidate onSubmit={submit} className="max-w-2xl space-y-4">
      <div className="grid gap-3 sm:grid-cols-2">
        <TextField
          label="Symbol"
          hint="2 to 10 capitals or digits."
          className="uppercase"
          error={errors.symbol?.message}
          {...form.register("symbol")}
        />
        <TextField label="Name" error={errors.name?.message} {...form.register("name")} />
        <SelectField label="Exemption" {...form.register("exemption")}>
          {Object.entries(EXEMPTIONS).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </SelectField>
        <TextField
          label="Unit price in USD"
          inputMode="decimal"
          error={errors.unit_price_amount?.message}
          {...form.register("unit_price_amount")}
        />
        <TextField
          label="Maximum units"
          inputMode="numeric"
          error={errors.max_units?.message}
          {...form.register("max_units")}
        />
        <TextField
          label="Price tick in USD"
          inputMode="decimal"
          error={errors.tick_size_amount?.message}
          {...form.register("tick_size_amount")}
        />
        <TextField
          label="Lot size in units"
          inputMode="numeric"
          error={errors.lot_size_units?.message}
          {...form.register("lot_size_units")}
        />
        <TextField
          label="Blocked countries"
          hint="Two-letter codes, separated by commas. May stay empty."
          className="uppercase"
          error={errors.blocked_countries?.message}
          {...form.register("blocked_countries")}
        />
      </div>
      {create.error ? <ProblemView error={create.error} /> : null}
      <Button type="submit" tone="primary" disabled={create.isPending}>
        {create.isPending ? "Creating…" : "Create offering"}
      </Button>
    </form>
  );
}
