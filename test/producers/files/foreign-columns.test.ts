import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { withoutForeign } from "../../../producers/files/foreign-columns.ts";
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
    const { rows } = withoutForeign(operation, readRows(file, example(file)));
    const inputs = rows.map(({ input }) => input);
    const records = await bundle.client.submitManyUnchecked(operation, inputs, { id: "batch-1" });
    expect(records).toHaveLength(inputs.length);
  });

  it("is told which columns are for other operations; one that none takes stays", () => {
    const rows = readRows("x.csv", "mobile,csp_id,aadhaar,colour\n9123456780,a,,red\n9123456781,a,1,red\n");
    expect(withoutForeign("eko.mobile-otp", rows)).toEqual({
      rows: [
        { line: 2, input: { mobile: "9123456780", csp_id: "a", colour: "red" } },
        { line: 3, input: { mobile: "9123456781", csp_id: "a", colour: "red" } },
      ],
      left: ["aadhaar"],
    });
  });
});
