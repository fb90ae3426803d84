import { describe, expect, it } from "vitest";
import { type ColumnWishes, mapFlag, parseMap, planColumns } from "../../../producers/imports/column-plan.ts";
import { importTarget } from "../../../producers/imports/import-target.ts";
import { fieldOfName, SYNONYMS } from "../../../src/operations/synonyms.ts";
import { OPERATIONS } from "../../../src/operations/catalogue.ts";

const MOBILE_OTP = importTarget({ operation: "eko.mobile-otp" });
const AADHAAR_OTP = importTarget({ operation: "eko.dmt-levin.aadhaar-otp" });

function plan(header: readonly string[], wishes: Partial<ColumnWishes> = {}, target = MOBILE_OTP): string[] {
  const planned = planColumns("x.csv", header, target, { map: new Map(), ref: null, ...wishes });
  return planned.map(({ use }) => (use.kind === "field" ? use.field : `(${use.kind})`));
}

describe("what a column is", () => {
  it.each([
    ["Mobile No", "mobile"],
    ["MOBILE NUMBER", "mobile"],
    ["mobile_number", "mobile"],
    ["Phone", "mobile"],
    ["  CSP Id. ", "csp_id"],
    ["मोबाइल नंबर", "mobile"],
  ])("is told by what people write: %s", (name, field) => {
    expect(fieldOfName(name, MOBILE_OTP.fields)).toBe(field);
  });

  it("is the customer's number where the operation has no other mobile number", () => {
    const header = ["Mobile No", "Aadhar Card No", "OTP Ref ID"];
    expect(plan(header, {}, AADHAAR_OTP)).toEqual(["customer_id", "aadhaar", "otp_ref_id"]);
  });

  it("is a field's own name before a likeness, and what was said before both", () => {
    expect(plan(["Phone", "mobile", "csp_id"])).toEqual(["(shown)", "mobile", "csp_id"]);
    const map = new Map([["Phone", "mobile"]]);
    expect(plan(["Phone", "mobile", "csp_id"], { map })).toEqual(["mobile", "(shown)", "csp_id"]);
  });

  it("is the row's reference where it is named so, or said to be", () => {
    expect(plan(["Ref", "mobile", "csp_id"])).toEqual(["(ref)", "mobile", "csp_id"]);
    expect(plan(["ref", "mobile", "csp_id", "Form No"], { ref: "form no" })).toEqual([
      ...["(shown)", "mobile", "csp_id", "(ref)"],
    ]);
  });

  it.each([
    [
      ["mobile"],
      "x.csv has no column for csp_id, which eko.mobile-otp needs; it has `mobile`: name it so, or say which it is with --map 'COLUMN=csp_id'",
    ],
    [
      ["Phone", "Mobile No", "csp_id"],
      "the columns `Phone` and `Mobile No` both look like mobile: say which with --map",
    ],
    [["9876501234", "a1"], "column 1 has a value where its name should stand; the first line must name the columns"],
    [["mobile", "9999 9999 0019"], "column 2 has a value where its name should stand"],
    [["mobile", "asha@example.com"], "column 2 has a value where its name should stand"],
  ])("cannot be told from the header %j", (header, message) => {
    const refused = (): string[] => plan(header);
    expect(refused).toThrow(message);
    for (const value of ["9876501234", "9999 9999 0019", "asha@"]) expect(refused).not.toThrow(value);
  });

  it("cannot be one that is not there", () => {
    const header = ["Mobile", "csp_id"];
    expect(() => plan(header, { ref: "Fom" })).toThrow("x.csv has no column `Fom`, which --ref names");
    expect(() => plan(header, { map: new Map([["Mobil", "mobile"]]) })).toThrow("did you mean `Mobile`?");
  });

  it("is said as COLUMN=FIELD, once each", () => {
    expect([...parseMap([mapFlag("A=B=mobile")], MOBILE_OTP)]).toEqual([["A=B", "mobile"]]);
    expect(() => mapFlag("mobile")).toThrow("--map takes COLUMN=FIELD");
    expect(() => parseMap([mapFlag("Tel=mobil")], MOBILE_OTP)).toThrow("did you mean mobile?");
    expect(() => parseMap(["A=mobile", "B=mobile"].map(mapFlag), MOBILE_OTP)).toThrow(
      "`A` and `B` cannot both be mobile",
    );
  });
});

describe("synonyms", () => {
  it("are each for one field, and no field's own name but where that is meant", () => {
    const all = Object.entries(SYNONYMS).flatMap(([field, names]) => names.map((name) => ({ field, name })));
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
  });

  it("are for fields that there are", () => {
    const fields = new Set(OPERATIONS.flatMap(({ input }) => Object.keys(input.shape)));
    const known = Object.keys(SYNONYMS).map((field) => field.split(".")[0] ?? "");
    expect(known.filter((field) => !fields.has(field))).toEqual([]);
  });
});
