import { describe, expect, it } from "vitest";
import { BadRowsError, type RowToSubmit } from "../../../producers/index.ts";
import { madeUpMobile } from "../../../simulator/people.ts";
import { noRows } from "../../../src/batches/row-state.ts";
import { BatchBundle } from "../../support/batch-bundle.ts";
import { startClientBundle } from "../../support/client.ts";

const OPERATION = "eko.mobile-otp";
interface Input {
  readonly mobile: string;
  readonly csp_id: string;
}
const rowOf = (row: number): RowToSubmit<Input> => ({
  ref: `F-${row}`,
  input: { mobile: madeUpMobile(row, "000"), csp_id: "9000000001" },
});
const badRow = (ref: string): RowToSubmit<Input> => ({ ref, input: { mobile: "12345", csp_id: "9000000001" } });

async function startBundle() {
  const bundle = await startClientBundle();
  const redis = bundle.redis.client();
  return {
    client: bundle.client,
    batches: new BatchBundle(bundle.redis, bundle.settings),
    keys: async (): Promise<string[]> => await redis.keys("satyapan:{eko-0}:batch:b*"),
    [Symbol.asyncDispose]: async () => await bundle[Symbol.asyncDispose](),
  };
}

async function refused(submitted: Promise<unknown>): Promise<BadRowsError> {
  const error: unknown = await submitted.catch((caught: unknown) => caught);
  if (!(error instanceof BadRowsError)) throw new Error("no rows were refused", { cause: error });
  return error;
}

describe("rows that a program submits", () => {
  it("are checked, and are the rows that a file with the same makes", async () => {
    await using bundle = await startBundle();
    const { client, batches } = bundle;
    async function* rows() {
      for (let row = 1; row <= 600; row++) yield await Promise.resolve(rowOf(row === 300 ? 7 : row));
    }
    const view = await client.batches.submit(rows(), { operation: OPERATION, name: "Tuesday", tenant: "north" });
    expect(view).toMatchObject({ rows: 600, name: "Tuesday", counts: { ...noRows(), waiting: 599, duplicate: 1 } });
    const [twice] = await Array.fromAsync(client.batches.results(view.id, { only: ["duplicate"] }));
    expect(twice).toMatchObject({ row: 300, ref: "F-7", reason: "the same person as row 7" });
    await batches.recount(view.id);

    const again = await client.batches.submit(rows(), { operation: OPERATION, tenant: "north" });
    expect(again).toMatchObject({ id: view.id, duplicate: true });
    const checked = batches.rows(3, (row) => madeUpMobile(800 + row, "000"));
    const own = checked.map(({ row }) => ({ ...rowOf(800 + row), ref: `ref-${row}` }));
    const { id } = await batches.submit(checked);
    expect(await client.batches.submit(own, { operation: OPERATION })).toMatchObject({ id, duplicate: true });
  });

  it("are all refused where some are bad, which are named without their values", async () => {
    await using bundle = await startBundle();
    const { client, keys } = bundle;
    const rows = [...Array.from({ length: 300 }, (_, index) => rowOf(index + 1)), badRow("F-301"), rowOf(302)];
    const mobile = madeUpMobile(303, "000");
    const personal = { ...rowOf(303), ref: `for ${mobile}` };
    const error = await refused(client.batches.submit([...rows, personal], { operation: OPERATION }));
    expect(error).toMatchObject({ code: "bad-input", count: 2 });
    expect(error.problems.map(({ row, ref, fields }) => [row, ref, fields.map(({ field }) => field)])).toEqual([
      [301, "F-301", ["mobile"]],
      [303, null, ["ref"]],
    ]);
    expect(error.message).toMatch(/^2 of 303 rows are bad, so nothing was accepted; the first is row 301: mobile: /);
    expect(JSON.stringify([error.message, error.problems])).not.toMatch(new RegExp(`12345|${mobile}`));
    expect(await client.batches.list()).toEqual([]);
    expect(await keys()).toEqual([]);
  });

  it("are taken in without the bad ones where these may be left out, unless no row is good", async () => {
    await using bundle = await startBundle();
    const { client } = bundle;
    const options = { operation: OPERATION, skipBad: true } as const;
    const { id, counts } = await client.batches.submit([rowOf(1), badRow("F-2"), rowOf(3)], options);
    expect(counts).toEqual({ ...noRows(), waiting: 2, skipped: 1 });
    const [skipped] = await Array.fromAsync(client.batches.results(id, { only: ["skipped"] }));
    expect(skipped).toMatchObject({ row: 2, ref: "F-2" });
    expect(skipped?.reason).toMatch(/^mobile: /);
    expect(JSON.stringify(skipped)).not.toContain("12345");
    expect(await refused(client.batches.submit([badRow("F-1")], options))).toMatchObject({ count: 1 });
  });

  it("show in the results their fields and the caller's columns, masked", async () => {
    await using bundle = await startBundle();
    const { client } = bundle;
    const row = { ...rowOf(1), columns: { branch: "Pune", note: "call 9123456780", "9123456780": "x" } };
    const { id } = await client.batches.submit([row], { flow: "eko.mobile" });
    const [shown] = await Array.fromAsync(client.batches.results(id));
    expect(shown?.columns).toMatchObject({ csp_id: expect.any(String) as unknown, branch: "Pune" });
    expect(shown?.columns["mobile"]).toMatch(/[*•…x]/i);
    expect(JSON.stringify(shown)).not.toMatch(new RegExp(`9123456780|${row.input.mobile}`));
  });

  it("come back mended, and are checked then as well", async () => {
    await using bundle = await startBundle();
    const { client } = bundle;
    const { id } = await client.batches.submit([rowOf(1), badRow("F-2")], { operation: OPERATION, skipBad: true });
    const wrong = client.batches.repair(id, [{ row: 2, input: { mobile: "12345", csp_id: "9000000001" } }]);
    expect((await refused(wrong)).problems.map(({ row }) => row)).toEqual([2]);
    const input = { mobile: madeUpMobile(2, "000"), csp_id: "9000000001" };
    expect(await client.batches.repair(id, [{ row: 2, ref: "F-2", input }])).toMatchObject({
      mended: 1,
      counts: { ...noRows(), waiting: 2 },
    });
  });

  it("keep the reference and the columns that who mends them does not give, but for what the mended input shows", async () => {
    await using bundle = await startBundle();
    const { client } = bundle;
    const columns = { "Mobile No": "XXXXXX1111", branch: "Pune" };
    const given = { ...badRow("F-2"), columns };
    const { id } = await client.batches.submit([rowOf(1), given, given], { operation: OPERATION, skipBad: true });
    const input = (row: number) => ({ mobile: madeUpMobile(row, "000"), csp_id: "9000000001" });
    const others = { ref: "", columns: { branch: "Nashik" } };
    await client.batches.repair(id, [
      { row: 2, input: input(2) },
      { row: 3, input: input(3), ...others },
    ]);
    const [, kept, changed] = await Array.fromAsync(client.batches.results(id));
    const maskOf = (row: number): string => `XXXXXX${input(row).mobile.slice(6)}`;
    expect(kept).toMatchObject({ ref: "F-2", columns: { branch: "Pune", "Mobile No": maskOf(2) } });
    expect(Object.values(kept?.columns ?? {})).not.toContain("XXXXXX1111");
    expect(changed).toMatchObject({ ref: null, columns: { branch: "Nashik", mobile: maskOf(3) } });
    expect(Object.keys(changed?.columns ?? {})).not.toContain("Mobile No");
  });

  it("are of names and inputs that the compiler knows, and are checked without it just the same", async () => {
    await using bundle = await startBundle();
    const { client } = bundle;
    // @ts-expect-error: `mobil` is no field of it
    const misnamed = client.batches.submit([{ input: { mobil: "9123456780" } }], { flow: "eko.mobile" });
    expect((await refused(misnamed)).problems).toHaveLength(1);
    const none = client.batches.submitUnchecked([{ input: "a text" }], { flow: "eko.mobile" });
    expect((await refused(none)).problems[0]?.fields).toEqual([{ field: "input", message: "must be an object" }]);
    await expect(client.batches.submitUnchecked([], { flow: "eko.none" })).rejects.toMatchObject({
      code: "unknown-flow",
    });
  });

  it("are none where the signal aborts while they come", async () => {
    await using bundle = await startBundle();
    const { client, keys } = bundle;
    const stop = new AbortController();
    function* rows() {
      yield badRow("F-1");
      stop.abort();
      yield rowOf(2);
      throw new Error("was read on");
    }
    const { signal } = stop;
    await expect(client.batches.submit(rows(), { operation: OPERATION, signal })).rejects.toMatchObject({
      code: "interrupted",
    });
    expect(await keys()).toEqual([]);
  });
});
