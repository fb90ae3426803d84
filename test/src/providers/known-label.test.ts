import { expect, it } from "vitest";
import { knownLabel } from "../../../src/providers/known-label.ts";

it.each([
  ["eko", "response_status_id", 1, "1"],
  ["eko", "response_status_id", -2, "-2"],
  ["eko", "response_status_id", 7777, "other"],
  ["eko", "response_status_id", null, "none"],
  ["eko", "response_type_id", 2129, "2129"],
  ["eko", "response_type_id", 7777, "other"],
  ["eko", "sub_code", "SUCCESS", "other"],
  ["deepvue", "sub_code", "VERIFICATION_PENDING", "VERIFICATION_PENDING"],
  ["deepvue", "sub_code", "OTP_EXPIRED", "other"],
  ["deepvue", "sub_code", "other", "other"],
  ["deepvue", "sub_code", null, "none"],
  ["deepvue", "response_type_id", null, "none"],
] as const)("labels %s %s %j as %s", (provider, field, value, label) => {
  expect(knownLabel(provider, field, value)).toBe(label);
});
