"use client";

import {
  createSortedRowModel,
  rowSortingFeature,
  type SortingState,
  tableFeatures,
  useTable,
} from "@tanstack/react-table";
import { ArrowDown, ArrowUp, Download } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { Button } from "@/components/ui/button";
import { Panel } from "@/components/ui/panel";
import { cn } from "@/lib/cn";
import { downloadCsv, toCsv } from "@/lib/csv";
import { compareDecimals } from "@/lib/decimal";
import { ProblemView } from "./problem-view";

/** A column: `value` is the plain text that sorting, filtering and CSV use; `cell` is what is shown, when it differs. */
export interface Column<Row> {
  header: string;
  value: (row: Row) => string | number | null | undefined;
  cell?: (row: Row) => ReactNode;
  numeric?: boolean;
}

interface Query<Row> {
  data: { data: Row[]; next_cursor?: string | null } | undefined;
  isPending: boolean;
  error: unknown;
  refetch: () => unknown;
}

interface Props<Row> {
  /** The heading over the table, and the name of its CSV file. */
  label: string;
  query: Query<Row>;
  columns: readonly Column<Row>[];
  rowId: (row: Row) => string;
  empty: ReactNode;
  /** The last cell of a row: its buttons. */
  actions?: (row: Row) => ReactNode;
  toolbar?: ReactNode;
  filterable?: boolean;
  pager?: { onFirst?: () => void; onNext?: (cursor: string) => void };
}

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel() });

/** Every table of the app: loading, empty, no-match and error states, keyboard sorting, filter, CSV of what is shown. */
export function DataTable<Row extends object>(props: Props<Row>) {
  const { query, columns, rowId } = props;
  const [sorting, setSorting] = useState<SortingState>([]);
  const [needle, setNeedle] = useState("");
  const rows = useMemo(() => matching(query.data?.data ?? [], columns, needle), [query.data, columns, needle]);
  const definitions = useMemo(() => columns.map(toDefinition), [columns]);
  const table = useTable<typeof features, Row>({
    features,
    columns: definitions,
    data: rows,
    getRowId: rowId,
    state: { sorting },
    onSortingChange: setSorting,
  });
  const shown = table.getRowModel().rows;
  const width = columns.length + (props.actions ? 1 : 0);
  const exportCsv = () =>
    downloadCsv(
      `${props.label.toLowerCase().replaceAll(" ", "-")}.csv`,
      toCsv(
        columns.map(({ header }) => header),
        shown.map(({ original }) => columns.map(({ value }) => value(original))),
      ),
    );
  return (
    <Panel
      title={props.label}
      flush
      actions={
        <div className="flex flex-wrap items-center gap-2">
          {props.toolbar}
          {props.filterable ? (
            <input
              type="search"
              aria-label={`Filter ${props.label}`}
              placeholder="Filter"
              value={needle}
              onChange={(event) => setNeedle(event.target.value)}
              className="h-7 w-32 rounded border bg-bg px-2 text-xs"
            />
          ) : null}
          <Button size="sm" tone="ghost" disabled={shown.length === 0} onClick={exportCsv}>
            <Download aria-hidden className="size-3.5" /> CSV
          </Button>
        </div>
      }
    >
      {/* biome-ignore-start lint/a11y: what scrolls sideways must be reachable by keyboard */}
      <div role="group" aria-label={`${props.label}, scrolls`} tabIndex={0} className="relative overflow-x-auto">
        {/* biome-ignore-end lint/a11y: see above */}
        <table className="w-full border-collapse text-sm" aria-label={props.label} aria-busy={query.isPending}>
          <thead>
            <tr className="border-b bg-raised/50 text-left text-xs text-muted">
              {table.getHeaderGroups()[0]?.headers.map((header, index) => {
                const direction = header.column.getIsSorted();
                return (
                  <th
                    key={header.id}
                    scope="col"
                    aria-sort={direction === "asc" ? "ascending" : direction === "desc" ? "descending" : "none"}
                    className={cn("px-1 font-medium", columns[index]?.numeric && "text-right")}
                  >
                    <button
                      type="button"
                      onClick={header.column.getToggleSortingHandler()}
                      className="inline-flex h-7 items-center gap-1 whitespace-nowrap rounded px-2 hover:text-ink"
                    >
                      {columns[index]?.header}
                      {direction === "asc" ? <ArrowUp aria-hidden className="size-3" /> : null}
                      {direction === "desc" ? <ArrowDown aria-hidden className="size-3" /> : null}
                    </button>
                  </th>
                );
              })}
              {props.actions ? (
                <th scope="col" className="px-3 text-right font-medium">
                  <span className="sr-only">Actions</span>
                </th>
              ) : null}
            </tr>
          </thead>
          <tbody>
            {query.isPending ? <Skeleton width={width} /> : null}
            {shown.map(({ id, original }) => (
              <tr key={id} className="border-b last:border-b-0 hover:bg-raised/40">
                {columns.map((column) => (
                  <td
                    key={column.header}
                    className={cn("whitespace-nowrap px-3 py-1.5", column.numeric && "text-right")}
                  >
                    {column.cell ? column.cell(original) : (column.value(original) ?? "—")}
                  </td>
                ))}
                {props.actions ? (
                  <td className="whitespace-nowrap px-3 py-1 text-right">
                    <div className="inline-flex gap-1">{props.actions(original)}</div>
                  </td>
                ) : null}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Below {...props} matches={shown.length} filtered={needle !== ""} />
    </Panel>
  );
}

/** What stands under the rows: why there are none, what failed, and the way to more. */
function Below<Row>({ query, empty, pager, matches, filtered }: Props<Row> & { matches: number; filtered: boolean }) {
  const next = query.data?.next_cursor;
  return (
    <>
      {query.error ? (
        <div className="p-3">
          <ProblemView
            error={query.error}
            action={
              <Button size="sm" onClick={() => query.refetch()}>
                Try again
              </Button>
            }
          />
        </div>
      ) : null}
      {!query.isPending && !query.error && matches === 0 ? (
        <p className="px-3 py-8 text-center text-muted">{filtered ? "Nothing matches the filter." : empty}</p>
      ) : null}
      {pager && (pager.onFirst || next) ? (
        <nav aria-label="Pages" className="flex justify-end gap-2 border-t px-3 py-2">
          {pager.onFirst ? (
            <Button size="sm" onClick={pager.onFirst}>
              First page
            </Button>
          ) : null}
          {next && pager.onNext ? (
            <Button size="sm" onClick={() => pager.onNext?.(next)}>
              Next page
            </Button>
          ) : null}
        </nav>
      ) : null}
    </>
  );
}

function Skeleton({ width }: { width: number }) {
  return [0, 1, 2].map((line) => (
    <tr key={line} className="border-b">
      {Array.from({ length: width }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
        <td key={index} className="px-3 py-2">
          <div className="h-4 animate-pulse rounded bg-raised" />
        </td>
      ))}
    </tr>
  ));
}

function matching<Row>(rows: Row[], columns: readonly Column<Row>[], needle: string): Row[] {
  const wanted = needle.trim().toLowerCase();
  if (!wanted) return rows;
  return rows.filter((row) =>
    columns.some(({ value }) =>
      String(value(row) ?? "")
        .toLowerCase()
        .includes(wanted),
    ),
  );
}

function toDefinition<Row extends object>(column: Column<Row>, index: number) {
  const text = (row: Row) => String(column.value(row) ?? "");
  return {
    id: String(index),
    accessorFn: text,
    sortDescFirst: false,
    sortFn: (a: { original: Row }, b: { original: Row }) =>
      column.numeric
        ? compareDecimals(text(a.original), text(b.original))
        : text(a.original).localeCompare(text(b.original)),
  };
}
