import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ForeignColumns } from "../../../producers/files/foreign-columns.ts";
import { readRows } from "../../../producers/files/read-rows.ts";
import { startClientBundle } from "../../support/client.ts";

function example(name: string): Uint8Array {
  return readFileSync(new URL(`../../../examples/${name}`, import.meta.url));
}

describe("an example file", () => {
  it.each([
    ["mobile-otp.csv", "eko.mobile-otp"],
    ["senders.csv", "eko.mobile-otp"],
    ["senders.csv", "eko.dmt-levin.aadhaar-otp"],
    ["senders.csv", "eko.aeps-fingpay.ekyc-otp"],
    ["senders.csv", "deepvue.aadhaar-otp"],
  ])("%s is taken by %s, every row", async (file, operation) => {
    await using bundle = await startClientBundle();
    const foreign = new ForeignColumns(operation);
    const rows = await Array.fromAsync(readRows(file, example(file)));
    const inputs = rows.map(({ input }) => foreign.without(input));
    const records = await bundle.client.submitManyUnchecked(operation, inputs, { id: "batch-1" });
    expect(records).toHaveLength(inputs.length);
  });

  it("is told which columns are for other operations; one that none takes stays", () => {
    const foreign = new ForeignColumns("eko.mobile-otp");
    const own = { mobile: "9123456780", csp_id: "a", colour: "red" };
    expect(foreign.without(own)).toEqual(own);
    expect([...foreign.left]).toEqual([]);
    expect(foreign.without({ ...own, aadhaar: "1" })).toEqual(own);
    expect([...foreign.left]).toEqual(["aadhaar"]);
  });
});
