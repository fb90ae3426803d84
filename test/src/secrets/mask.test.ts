import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mask } from "../../../src/secrets/mask.ts";

describe("mask", () => {
  it("keeps the last four of an Aadhaar number's twelve digits", () => {
    expect(mask("aadhaar", "234123412346")).toBe("XXXX XXXX 2346");
  });

  it("keeps the last four of a mobile number's ten digits", () => {
    expect(mask("mobile", "9876543210")).toBe("XXXXXX3210");
  });

  it.each(["", "2346", "23412341234", "2341234123460", "2341 2341 2346", "23412341234x", "२३४१२३४१२३४६"])(
    "hides %j whole, which is no Aadhaar number",
    (value) => {
      expect(mask("aadhaar", value)).toBe("XXXX XXXX XXXX");
    },
  );

  it.each(["", "3210", "919876543210", "+919876543210", "98765 43210"])(
    "hides %j whole, which is no mobile number",
    (value) => {
      expect(mask("mobile", value)).toBe("XXXXXXXXXX");
    },
  );

  it("hides everything else to one text, so that not even its length shows", () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(mask("hidden", value)).toBe("********");
      }),
    );
  });

  it("never shows more than four digits of anything", () => {
    const digits = fc.stringMatching(/^\d{1,20}$/);
    fc.assert(
      fc.property(fc.constantFrom("aadhaar", "mobile", "hidden"), digits, (name, value) => {
        expect(mask(name, value).replaceAll(/\D/g, "").length).toBeLessThanOrEqual(4);
      }),
    );
  });
});
