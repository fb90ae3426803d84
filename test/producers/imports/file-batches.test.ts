import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { BadFileError, type FileCheck } from "../../../producers/index.ts";
import { madeUpMobile } from "../../../simulator/people.ts";
import { noRows } from "../../../src/batches/row-state.ts";
import { startClientBundle } from "../../support/client.ts";
import { keysIn } from "../../support/redis-content.ts";
import { makeTempDir } from "../../support/temp-dir.ts";

const OPERATION = { operation: "eko.mobile-otp" } as const;
const MAPPED = { ...OPERATION, map: { Kontakt: "mobile" }, ref: "Form No" };
const mobile = (row: number): string => madeUpMobile(row, "000");
const line = (row: number): string => `F-${row},${mobile(row)},9000000001`;

/** A client, and files with a column whose name says nothing. */
async function startBundle() {
  const stack = new AsyncDisposableStack();
  const bundle = stack.use(await startClientBundle());
  const place = stack.use(await makeTempDir());
  const write = (name: string, ...rows: readonly string[]): string => {
    const path = join(place.path, name);
    const text = ["Form No,Kontakt,csp_id", ...rows, ""].join("\n");
    writeFileSync(path, name.endsWith(".gz") ? gzipSync(text) : text);
    return path;
  };
  const batches = async (): Promise<string[]> => (await keysIn(bundle.redis)).filter((key) => key.includes(":batch:b"));
  const { client } = bundle;
  return { client, place, write, batches, [Symbol.asyncDispose]: async () => await stack.disposeAsync() };
}

async function refused(submitted: Promise<unknown>): Promise<BadFileError> {
  const error: unknown = await submitted.catch((caught: unknown) => caught);
  if (!(error instanceof BadFileError)) throw new Error("the file was not refused", { cause: error });
  return error;
}

describe("a file that a program submits", () => {
  it("is one batch, with its columns as they were said; packed, as a stream or as rows of a program it is the same one", async () => {
    await using bundle = await startBundle();
    const { client, write } = bundle;
    const checks: FileCheck[] = [];
    const lines = Array.from({ length: 300 }, (_, index) => line(index + 1));
    const path = write("senders.csv", ...lines);
    const view = await client.batches.submitFile(path, {
      ...{ ...MAPPED, name: "Tuesday", tenant: "north", onChecked: (check: FileCheck) => checks.push(check) },
    });
    expect(view).toMatchObject({ name: "Tuesday", rows: 300, counts: { ...noRows(), waiting: 300 }, bad_file: null });
    expect(checks).toMatchObject([{ rows: 300, good: 300, bad: 0 }]);
    const again = { ...MAPPED, tenant: "north" };
    const packed = await client.batches.submitFile(write("again.csv.gz", ...lines), again);
    const streamed = await client.batches.submitFile(createReadStream(path), again);
    const ndjson = lines.map((_, index) =>
      JSON.stringify({ Form: `F-${index + 1}`, mobile: mobile(index + 1), csp_id: "9000000001" }),
    );
    async function* bytes() {
      yield await Promise.resolve(gzipSync(ndjson.join("\n")));
    }
    const typed = await client.batches.submitFile(bytes(), { ...OPERATION, ref: "Form", tenant: "north" });
    expect([packed, streamed, typed].map(({ id, duplicate }) => [id, duplicate])).toEqual(
      Array.from({ length: 3 }, () => [view.id, true]),
    );
    const [row] = await Array.fromAsync(client.batches.results(view.id));
    expect(row).toMatchObject({ ref: "F-1", columns: { Kontakt: `XXXXXX${mobile(1).slice(6)}` } });
  });

  it("is refused where rows are bad, by row and by what is wrong, without a value", async () => {
    await using bundle = await startBundle();
    const { client, write, batches } = bundle;
    const path = write("senders.csv", line(1), "F-2,12345,9000000001", line(3));
    const error = await refused(client.batches.submitFile(path, MAPPED));
    expect(error).toMatchObject({ code: "bad-input", count: 1, problems: [{ row: 2, ref: "F-2" }] });
    expect(error.check).toMatchObject({
      rows: 3,
      bad: 1,
      problems: [{ field: "mobile", column: "Kontakt", count: 1 }],
    });
    expect(error.message).toMatch(
      /senders\.csv: 1 of 3 rows are bad, so nothing was accepted; the first is row 2: mobile/,
    );
    expect(error.message).not.toContain("12345");
    expect(await batches()).toEqual([]);
  });

  it("goes without its bad rows where these may be left out, which are kept beside it if wanted", async () => {
    await using bundle = await startBundle();
    const { client, write, place } = bundle;
    const bad = "F-2,12345,9000000001";
    const options = { ...MAPPED, skipBad: true };
    const path = write("senders.csv", line(1), bad);
    const view = await client.batches.submitFile(path, { ...options, badFile: true });
    expect(view).toMatchObject({ counts: { waiting: 1, skipped: 1 }, bad_file: join(place.path, "senders.bad.csv") });
    expect(readFileSync(view.bad_file ?? "", "utf8")).toContain(bad);
    const other = await client.batches.submitFile(write("others.csv", line(3), bad), options);
    expect(other).toMatchObject({ counts: { waiting: 1, skipped: 1 }, bad_file: null });
    await refused(client.batches.submitFile(write("none.csv", bad), options));
  });

  it("names a stream as its caller does, and what it was told wrongly", async () => {
    await using bundle = await startBundle();
    const { client, write, batches } = bundle;
    const path = write("senders.csv", line(1));
    const upload = client.batches.submitFile(createReadStream(path), { ...OPERATION, called: "the upload" });
    await expect(upload).rejects.toMatchObject({
      code: "bad-file",
      message: expect.stringMatching(/^the upload has no column for mobile/) as unknown,
    });
    await expect(client.batches.submitFile(path, { ...MAPPED, weight: 0 })).rejects.toThrow("weight: must be a number");
    const map = { Kontakt: "mobil" };
    await expect(client.batches.submitFile(path, { ...MAPPED, map })).rejects.toThrow("did you mean mobile?");
    const signal = AbortSignal.abort();
    await expect(client.batches.submitFile(path, { ...MAPPED, signal })).rejects.toMatchObject({ code: "interrupted" });
    expect(await batches()).toEqual([]);
  });
});

describe("rows that are not called, because another has their person", () => {
  it("are listed with who that is", async () => {
    await using bundle = await startBundle();
    const { client, write } = bundle;
    await client.onboard("eko.mobile", { mobile: mobile(9), csp_id: "9000000001" }, { id: "asha" });
    const options = { flow: "eko.mobile", map: MAPPED.map, ref: MAPPED.ref };
    const first = await client.batches.submitFile(write("first.csv", line(1), line(2)), options);
    const rows = [line(2), line(3), line(3), line(9)];
    const { id, counts } = await client.batches.submitFile(write("second.csv", ...rows), options);
    expect(counts).toEqual({ ...noRows(), waiting: 1, duplicate: 3 });
    expect(await Array.fromAsync(client.batches.duplicates(id))).toEqual([
      {
        ...{ row: 1, ref: "F-2", of: { kind: "row", batch: first.id, row: 2 } },
        reason: `the same person as row 2 of batch ${first.id}`,
      },
      { row: 3, ref: "F-3", of: { kind: "row", batch: id, row: 2 }, reason: "the same person as row 2" },
      {
        ...{ row: 4, ref: "F-9", of: { kind: "onboarding", onboarding: "asha" } },
        reason: "the same person as onboarding asha",
      },
    ]);
    expect(await Array.fromAsync(client.batches.duplicates(first.id))).toEqual([]);
  });
});
