import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../src/base/error.ts";
import { fillPath, withQuery } from "../../../src/providers/path.ts";
import { refusal } from "./refusal.ts";

describe("fillPath", () => {
  it("fills every placeholder", () => {
    expect(
      fillPath("/sender/{customer_id}/otp/{kind}/{customer_id}", { customer_id: "6111111111", kind: "aadhaar" }),
    ).toBe("/sender/6111111111/otp/aadhaar/6111111111");
  });

  it("leaves a path without placeholders as it is", () => {
    expect(fillPath("/tools/kyc/mobile/otp", { customer_id: "6111111111" })).toBe("/tools/kyc/mobile/otp");
  });

  it.each([{}, { customer_id: "" }, { mobile: "6111111111" }])("names the field that %j lacks", (values) => {
    const { code, message } = refusal(() => fillPath("/sender/{customer_id}/otp", values));
    expect({ code, message }).toEqual({
      code: ErrorCode.BAD_INPUT,
      message: 'the path /sender/{customer_id}/otp needs a value for "customer_id"',
    });
  });

  it("takes no value from an object's prototype", () => {
    expect(refusal(() => fillPath("/{constructor}", {})).code).toBe(ErrorCode.BAD_INPUT);
  });

  it.each([".", "..", "\ud800 6111111111"])("refuses %j without showing it", (value) => {
    const { code, message } = refusal(() => fillPath("/sender/{customer_id}", { customer_id: value }));
    expect({ code, message }).toEqual({
      code: ErrorCode.BAD_INPUT,
      message: 'the value for "customer_id" in the path /sender/{customer_id} cannot stand in a URL',
    });
  });

  it("lets no value leave its own segment", () => {
    const text = fc
      .string({ unit: "grapheme", minLength: 1 })
      .filter((value) => !/^\.{1,2}$/.test(value) && value.isWellFormed());
    fc.assert(
      fc.property(text, (value) => {
        const path = new URL(`http://eko.example${fillPath("/sender/{customer_id}/otp", { customer_id: value })}`)
          .pathname;
        const segments = path.split("/");
        expect(segments).toHaveLength(4);
        expect(decodeURIComponent(segments[2] ?? "")).toBe(value);
      }),
    );
  });
});

describe("withQuery", () => {
  it("adds no question mark where there is no query", () => {
    expect(withQuery("/sender", {})).toBe("/sender");
  });
});
