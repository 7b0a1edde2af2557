import { expect, it } from "vitest";
import { csvCell, toCsv } from "@/lib/csv";

it("quotes separators, quotes and line breaks", () => {
  expect(
    toCsv(
      ["a", "b"],
      [
        ["x,y", 'say "hi"'],
        [null, "two\nlines"],
      ],
    ),
  ).toBe('a,b\r\n"x,y","say ""hi"""\r\n,"two\nlines"\r\n');
});

it.each(["=1+1", "+cmd", "@SUM(A1)", "-x", "\tx"])("disarms %j as a formula", (text) => {
  expect(csvCell(text).replaceAll('"', "").startsWith("'")).toBe(true);
});

it("leaves negative numbers alone", () => {
  expect(csvCell("-12.50")).toBe("-12.50");
});
