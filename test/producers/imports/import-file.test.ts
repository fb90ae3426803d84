import { Readable } from "node:stream";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readTable, type TableRow } from "../../../producers/files/read-table.ts";
import { checkFile } from "../../../producers/imports/check-file.ts";
import { ImportFile, type ImportedRow, maskedColumns } from "../../../producers/imports/import-file.ts";
import { importTarget } from "../../../producers/imports/import-target.ts";
import { parseSettings } from "../../../src/config/parse-settings.ts";
import { OPERATIONS } from "../../../src/operations/catalogue.ts";
import { madeUpAadhaar, madeUpMobile } from "../../../simulator/people.ts";
import { testKeys } from "../../support/client.ts";

const settings = parseSettings(testKeys(), { readFile: () => "", operations: OPERATIONS });
const AADHAAR = madeUpAadhaar(1);
const MOBILE = madeUpMobile(1);

function fileOf(content: string | Uint8Array, operation = "eko.mobile-otp", path: string | null = "x.csv"): ImportFile {
  const table = (): AsyncIterable<TableRow> => readTable(path, Readable.from([Buffer.from(content)]));
  const wishes = { map: new Map<string, string>(), ref: null };
  const target = importTarget({ operation });
  return new ImportFile({
    name: path ?? "standard input",
    table,
    target,
    wishes,
    settings,
    now: Date.parse("2026-06-01T00:00:00Z"),
  });
}

const rowsOf = async (file: ImportFile): Promise<ImportedRow[]> => await Array.fromAsync(file.rows());
const check = async (file: ImportFile) => await checkFile(file, { signal: new AbortController().signal });

describe("the rows of a file", () => {
  it("are inputs with their references, and what is shown of them is masked", async () => {
    const text = `Ref,Mobile No,CSP ID,Branch,Alt Phone,Name\nR-1,${MOBILE},a1,North,${madeUpMobile(2)},Asha\n`;
    const [row] = await rowsOf(fileOf(text));
    expect(row).toMatchObject({ row: 1, ref: "R-1", state: "waiting", first: null, problems: [] });
    expect(row?.subject).toMatch(/^[\w-]{22}$/);
    expect(JSON.stringify(row?.input)).toBe(`{"mobile":"XXXXXX${MOBILE.slice(6)}","csp_id":"********"}`);
    expect(row && maskedColumns(row)).toEqual({
      "Mobile No": `XXXXXX${MOBILE.slice(6)}`,
      ...{ "CSP ID": "********", Branch: "North", "Alt Phone": "********", Name: "Asha" },
    });
  });

  it("are duplicates where their person stands in an earlier good row, and the same each time they are gone through", async () => {
    const [one, two] = [madeUpMobile(1), madeUpMobile(2)];
    const file = fileOf(`mobile,csp_id\n${one},a b\n${one},a1\n${two},a1\n${one},a2\n`);
    const seen = (rows: ImportedRow[]) => rows.map(({ state, first }) => [state, first]);
    const first = seen(await rowsOf(file));
    expect(first).toEqual([
      ["skipped", null],
      ["waiting", null],
      ["waiting", null],
      ["duplicate", 2],
    ]);
    expect(seen(await rowsOf(file))).toEqual(first);
  });

  it("show nothing of a bad row that may be a person's", async () => {
    const [row] = await rowsOf(fileOf(`mobile,csp_id,Note\n${MOBILE}0,a1,${AADHAAR}\n`));
    expect(row?.state).toBe("skipped");
    expect(row && maskedColumns(row)).toEqual({ mobile: "********", csp_id: "********", Note: "********" });
  });

  it.each([
    ["the row's own number", MOBILE, "mobile number"],
    ["it in groups", `${MOBILE.slice(0, 5)} ${MOBILE.slice(5)}`, "mobile number"],
    ["another Aadhaar number", AADHAAR, "an Aadhaar number"],
    ["a number within", `X${MOBILE}`, "kept in clear"],
    ["a text too long", "x".repeat(65), "at most 64 characters"],
  ])("are refused a reference that is %s", async (_what, ref, message) => {
    const [row] = await rowsOf(fileOf(`ref,mobile,csp_id\n${ref},${MOBILE},a1\n`));
    expect(row).toMatchObject({ ref: null, state: "skipped" });
    expect(row?.problems).toEqual([{ field: "ref", message: expect.stringContaining(message) as string }]);
  });

  it("come of NDJSON with their own fields each, also of standard input", async () => {
    const consent = { reference: "C-1", method: "ivr", obtained_at: "2026-01-15T10:00:00+05:30" };
    const lines = [{ aadhaar: AADHAAR, purpose: "ForKYC", consent, ref: "R-1" }, { aadhaar: madeUpAadhaar(2) }];
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    const rows = await rowsOf(fileOf(text, "deepvue.aadhaar-otp", null));
    expect(rows.map(({ state, ref }) => [state, ref])).toEqual([
      ["waiting", "R-1"],
      ["skipped", null],
    ]);
    expect(rows[1]?.problems.map(({ field }) => field)).toEqual(["purpose", "consent"]);
  });
});

describe("what is wrong with a file", () => {
  it("is told by what to do about it, the most frequent first, and never quoted", async () => {
    const text = `Phone,csp_id\n+91${MOBILE},a1\n9.87654E+09,a1\n98765 43210,a1\n${MOBILE},\n`;
    const { problems, rows, good, bad } = await check(fileOf(text));
    expect({ rows, good, bad }).toEqual({ rows: 4, good: 0, bad: 4 });
    expect(problems).toEqual([
      {
        ...{ field: "mobile", column: "Phone", count: 2 },
        message: "must be a mobile number: 10 digits, the first 6 to 9, no country code",
        first: [
          { row: 1, line: 2, form: "+XXXXXXXXXXXX" },
          { row: 3, line: 4, form: "XXXXX XXXXX" },
        ],
      },
      {
        ...{ field: "mobile", column: "Phone", count: 1 },
        message: "a spreadsheet shortened this number: format the column as text and export again",
        first: [{ row: 2, line: 3, form: "X.XXXXXa+XX" }],
      },
      {
        ...{ field: "csp_id", column: "csp_id", count: 1, message: "is missing" },
        first: [{ row: 4, line: 5, form: "" }],
      },
    ]);
  });

  it("names no more than some rows of many", async () => {
    const { problems } = await check(fileOf(`mobile,csp_id\n${"1,a1\n".repeat(3_000)}`));
    expect(problems).toMatchObject([{ count: 3_000 }]);
    expect(problems[0]?.first).toHaveLength(5);
  });

  it("is not told of a file that somebody gives up on", async () => {
    const file = fileOf(`mobile,csp_id\n${`${MOBILE},a1\n`.repeat(2_000)}`);
    await expect(checkFile(file, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "interrupted" });
  });
});

/** As different spreadsheets write the same table. */
const writers = fc.record({
  separator: fc.constantFrom(",", ";", "\t", "|"),
  end: fc.constantFrom("\n", "\r\n", "\r"),
  mark: fc.boolean(),
  wide: fc.boolean(),
  quoteAll: fc.boolean(),
  declared: fc.boolean(),
  blankRows: fc.nat(2),
});
const words = fc.string({
  unit: fc.constantFrom("a", "क", " ", '"', ",", ";", "\t", "|", "\n", "=", "'", "é"),
  maxLength: 12,
});

it("gives back every row of any table, however it was written (seeds are printed on failure)", async () => {
  const people = fc.array(fc.record({ note: words, bad: fc.boolean() }), { minLength: 1, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(people, writers, async (rows, { separator, end, mark, wide, quoteAll, declared, blankRows }) => {
      const cell = (text: string): string =>
        quoteAll || /["\n\r,;|\t]/.test(text) || text.trim() !== text ? `"${text.replaceAll('"', '""')}"` : text;
      const table = [
        ["Mobile No", "Note", "csp_id"],
        ...rows.map(({ note, bad }, index) => [bad ? "12" : madeUpMobile(index), note, "a1"]),
      ];
      const lines = table.map((cells) => cells.map(cell).join(separator));
      const blank = Array.from({ length: blankRows }, () => separator.repeat(2));
      const text = [...(declared ? [`sep=${separator}`] : []), ...lines, ...blank, ""].join(end);
      const content = wide ? Buffer.from(`\uFEFF${text}`, "utf16le") : Buffer.from(mark ? `\uFEFF${text}` : text);
      const found = await rowsOf(fileOf(content));
      expect(found.map(({ state }) => state)).toEqual(rows.map(({ bad }) => (bad ? "skipped" : "waiting")));
      const notes = found.map((row) => maskedColumns(row)["Note"]);
      expect(notes).toEqual(rows.map(({ note }) => note.replaceAll(/^[\s]+|[\s]+$/g, "")));
    }),
    { numRuns: 150 },
  );
});
