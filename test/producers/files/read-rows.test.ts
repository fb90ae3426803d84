import { readFileSync } from "node:fs";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { readRows, type Row } from "../../../producers/files/read-rows.ts";
import { ErrorCode, SatyapanError } from "../../../src/base/error.ts";

/** Made up, and never to be seen in a message. */
const PLANTED = "999999990019";

/** All rows; the same ones where the file comes byte by byte. */
async function rowsOf(path: string | null, content: string | Uint8Array): Promise<Row[]> {
  const whole = Array.fromAsync(readRows(path, content));
  const bytes = Array.from(Buffer.from(content), (byte) => Uint8Array.of(byte));
  const apart = Array.fromAsync(readRows(path, Readable.from(bytes)));
  const [one, other] = await Promise.allSettled([whole, apart]);
  expect(other).toEqual(one);
  return await whole;
}

async function refusal(path: string, text: string | Uint8Array): Promise<string> {
  try {
    await rowsOf(path, text);
  } catch (error) {
    if (!(error instanceof SatyapanError)) throw error;
    expect(error.code).toBe(ErrorCode.BAD_FILE);
    expect(error.message).not.toContain(PLANTED);
    expect(error.message).not.toContain("\n");
    return error.message;
  }
  throw new Error("the file was taken");
}

describe("rows of a CSV file", () => {
  it("takes the header's names, whatever the line ends, and drops a byte order mark", async () => {
    for (const end of ["\n", "\r\n"]) {
      const text = ["\uFEFFmobile,csp_id", "9123456780,a1", "9123456781,a2", ""].join(end);
      expect(await rowsOf("x.csv", text)).toEqual([
        { line: 2, input: { mobile: "9123456780", csp_id: "a1" } },
        { line: 3, input: { mobile: "9123456781", csp_id: "a2" } },
      ]);
    }
  });

  it("reads quoted cells with commas, quotes and new lines, and knows the line where each row begins", async () => {
    const text = 'name,address\n"Rao, Tara","12 ""Main"" Road\nPune"\nDev,Jaipur\n';
    expect(await rowsOf("x.csv", text)).toEqual([
      { line: 2, input: { name: "Rao, Tara", address: '12 "Main" Road\nPune' } },
      { line: 4, input: { name: "Dev", address: "Jaipur" } },
    ]);
  });

  it("leaves out empty cells and rows, and trims blanks", async () => {
    const text = "otp, mobile ,csp_id\n\n 0123 ,,a1\n,,\n   \n4567, 9123456780,\n";
    expect(await rowsOf("x.csv", text)).toEqual([
      { line: 3, input: { otp: "0123", csp_id: "a1" } },
      { line: 6, input: { otp: "4567", mobile: "9123456780" } },
    ]);
  });

  it("makes dotted columns one object", async () => {
    const text = "consent.reference,consent.method\nC-1,checkbox\n";
    expect(await rowsOf("x.csv", text)).toEqual([
      { line: 2, input: { consent: { reference: "C-1", method: "checkbox" } } },
    ]);
  });

  it("keeps a column named __proto__ for the door to refuse", async () => {
    const [row] = await rowsOf("x.csv", "mobile,__proto__\n9123456780,polluted\n");
    expect(Object.entries(row?.input ?? {})).toContainEqual(["__proto__", "polluted"]);
    expect({}).not.toHaveProperty("polluted");
  });

  it.each([
    [
      "the header once more",
      `mobile,csp id\n${PLANTED},1\n mobile ,"csp id"\n`,
      "x.csv line 3: repeats the header of line 1: two files were put together; remove this line",
    ],
    [
      "a thousand columns and one",
      `${Array.from({ length: 1_001 }, (_, column) => `c${column}`).join(",")},,\n1\n`,
      "x.csv line 1: has 1001 columns; at most 1000 are read: it is no table of persons",
    ],
    ["a column twice", `${PLANTED},a,${PLANTED}\n1,2,3\n`, "x.csv line 1: columns 1 and 3 have the same name"],
    ["a column without a name", `a,,${PLANTED}\n1,2,3\n`, "x.csv line 1: column 2 has no name"],
    [
      "a name too few, in a header further down",
      "\n\na,\n1,2\n",
      "x.csv line 4: has a value in column 2, which has no name in the header",
    ],
    [
      "a short row",
      `a,b\n1,2\n${PLANTED}\n`,
      "x.csv line 3: has 1 cell where the header has 2: a cell is missing, or a line broke in the middle",
    ],
    [
      "a long row",
      `a,b\n1,2,${PLANTED}\n`,
      "x.csv line 2: has 3 cells where the header has 2: a value that holds a comma must stand in quotes",
    ],
    [
      "an open quote, by the line of its row",
      `a,b\n1,2\n3,"${PLANTED}\n4,5\n6,7\n`,
      'x.csv line 3: a quote (") is opened in this row and never closed',
    ],
    [
      "an open quote in a long file, after a first line that names the separator",
      `sep=,\na,b\n${"1,2\n".repeat(5_000)}3,"${PLANTED}\n${"4,5\n".repeat(5_000)}`,
      'x.csv line 5003: a quote (") is opened in this row and never closed',
    ],
    [
      "text after a quote",
      `a,b\n1,"2"${PLANTED}\n`,
      'x.csv line 2: text follows a closing quote ("); a quote inside a quoted cell is written twice',
    ],
    [
      "a quote in a cell",
      `a,b\n1,${PLANTED}"2\n`,
      'x.csv line 2: a quote (") stands inside a cell that does not begin with one',
    ],
    [
      "a field both whole and in parts",
      `consent,consent.method\n${PLANTED},x\n`,
      "x.csv line 1: consent: is given both whole and in parts",
    ],
    ["nothing", "", "x.csv has no rows"],
    ["a header alone", "mobile,csp_id\n", "x.csv has no rows"],
    ["rows of empty cells alone", "mobile,csp_id\n,\n,\n", "x.csv has no rows"],
    [
      "JSON",
      `[{"aadhaar":"${PLANTED}"}]`,
      "x.csv looks like JSON: write one object in each line, and name the file .ndjson",
    ],
  ])("refuses %s", async (_what, text, message) => {
    expect(await refusal("x.csv", text)).toBe(message);
  });

  it.each([
    [
      "another encoding",
      Buffer.from(`name\na\nJos\u00e9 ${PLANTED}\n`, "latin1"),
      "x.csv line 3: is not UTF-8; save the file as such (in a spreadsheet: CSV UTF-8)",
    ],
    [
      "UTF-16 without its mark",
      Buffer.from(`mobile\n${PLANTED}\n`, "utf16le"),
      "x.csv line 1: holds a NUL character: it is no text, or UTF-16 without its mark; save it as CSV UTF-8",
    ],
    [
      "a NUL byte",
      Buffer.from(`mobile\r\n1\r\n${PLANTED}\0\r\n`),
      "x.csv line 3: holds a NUL character: it is no text, or UTF-16 without its mark; save it as CSV UTF-8",
    ],
    [
      "a spreadsheet's own file",
      Buffer.from("PK\u0003\u0004 and more"),
      "x.csv is a spreadsheet's own file or a zip archive, and no text: export it as CSV UTF-8",
    ],
    [
      "a separator that nobody knows",
      Buffer.from("sep=x\naxb\n"),
      "x.csv line 1: names no separator that is known: there are sep=, sep=; sep=| and sep= with a tab",
    ],
  ])("refuses %s", async (_what, file, message) => {
    expect(await refusal("x.csv", file)).toBe(message);
  });

  const TWO = [
    { line: 2, input: { mobile: "9123456780", csp_id: "a1" } },
    { line: 3, input: { mobile: "9123456781", csp_id: "a2" } },
  ];

  it.each([
    ["mixed line ends", "mobile,csp_id\r\n9123456780,a1\n9123456781,a2\r"],
    ["semicolons", "mobile;csp_id\r\n9123456780;a1\r\n9123456781;a2\r\n"],
    ["tabs", "mobile\tcsp_id\n9123456780\ta1\n9123456781\ta2\n"],
    ["empty columns and rows at the end", "mobile,csp_id,,\n9123456780,a1,,\n9123456781,a2,,,,\n,,,\n,,\n\u200B,\n"],
    ["format characters around values", "mobile,csp_id\n\u200B9123456780\u202C,a1\u00A0\n\u202A9123456781,\uFEFFa2\n"],
    ["apostrophes that mark text", "mobile,csp_id\n'9123456780,a1\n\u20199123456781,a2\n"],
  ])("reads %s", async (_what, text) => {
    expect(await rowsOf("x.csv", text)).toEqual(TWO);
  });

  it("reads a first line sep=; and counts it", async () => {
    const text = "sep=;\r\nmobile;latlong\r\n9123456780;28.6139,77.2090\r\n";
    expect(await rowsOf("x.csv", text)).toEqual([
      { line: 3, input: { mobile: "9123456780", latlong: "28.6139,77.2090" } },
    ]);
  });

  it("keeps empty cells at the beginning of a row between tabs", async () => {
    expect(await rowsOf("x.csv", "a\tb\tc\n\t\t3\n")).toEqual([{ line: 2, input: { c: "3" } }]);
  });

  it("reads UTF-16 with its byte order mark, both ways round", async () => {
    const text = "\uFEFFmobile\tcsp_id\r\n9123456780\ta1\r\n9123456781\ta2\r\n";
    const little = Buffer.from(text, "utf16le");
    expect(await rowsOf("x.csv", little)).toEqual(TWO);
    expect(await rowsOf("x.csv", Buffer.from(little).swap16())).toEqual(TWO);
  });

  it("tells CSV from NDJSON without a name, by a first brace", async () => {
    expect(await rowsOf(null, "mobile,csp_id\n9123456780,a1\n9123456781,a2\n")).toEqual(TWO);
    expect(await rowsOf(null, '\n {"a":1}\n')).toEqual([{ line: 2, input: { a: 1 } }]);
    await expect(rowsOf(null, "mobile\n")).rejects.toThrow("standard input has no rows");
  });

  it("reads the example that comes with the project", async () => {
    const path = new URL("../../../examples/mobile-otp.csv", import.meta.url);
    const rows = await rowsOf("mobile-otp.csv", readFileSync(path, "utf8"));
    expect(rows.length).toBeGreaterThan(0);
    expect(rows[0]).toMatchObject({ line: 2, input: { mobile: expect.stringMatching(/^\d{10}$/) as string } });
  });
});

describe("rows of an NDJSON file", () => {
  it.each(["x.ndjson", "x.NDJSON", "x.jsonl"])("reads %s: one object a line, past blank lines", async (path) => {
    const text = '\uFEFF{"mobile":"9123456780"}\r\n\n{"consent":{"reference":"C-1"},"flag":true}\n  \n';
    expect(await rowsOf(path, text)).toEqual([
      { line: 1, input: { mobile: "9123456780" } },
      { line: 3, input: { consent: { reference: "C-1" }, flag: true } },
    ]);
  });

  it.each([
    ["broken JSON", `{"aadhaar":"${PLANTED}"`],
    ["a list", `["${PLANTED}"]`],
    ["a number", PLANTED],
    ["null", "null"],
  ])("refuses %s and names the line", async (_what, bad) => {
    expect(await refusal("x.ndjson", `{"a":1}\n\n${bad}\n{"a":2}\n`)).toBe(
      "x.ndjson line 3: is not a JSON object; an NDJSON file has one in each line",
    );
  });

  it("refuses an empty file", async () => {
    expect(await refusal("x.ndjson", "\n\n")).toBe("x.ndjson has no rows");
  });
});
