import { expect, it } from "vitest";
import { importTarget, targetNamed } from "../../../producers/imports/import-target.ts";

it("knows the ways of a flow: the calls of the shortest and the longest, and the SMS that come of them", () => {
  const { ways, needs } = importTarget({ flow: "eko.dmt-levin" });
  const calls = ways.map((way) => way.calls.length);
  expect([Math.min(...calls), Math.max(...calls)]).toEqual([1, 6]);
  expect(new Set(ways.map(({ sms }) => sms))).toEqual(new Set([0, 1, 2]));
  expect(needs).toEqual([["customer_id"], ["aadhaar"], ["name"], ["dob"], ["residence_address"]]);
});

it("is one of the two", () => {
  expect(() => importTarget({})).toThrow("either with --flow NAME or with --operation NAME");
  expect(() => importTarget({ flow: "eko.mobile", operation: "eko.mobile-otp" })).toThrow("either with --flow NAME");
  expect(targetNamed("eko.mobile").kind).toBe("flow");
  expect(targetNamed("eko.mobile-otp").kind).toBe("operation");
  expect(() => targetNamed("eko.mobile-opt")).toThrow("did you mean eko.mobile-otp?");
  // A flow's name was meant as often: they are told, too.
  expect(() => targetNamed("senders")).toThrow(
    /there are deepvue\.aadhaar-otp, .* \(flows: deepvue\.aadhaar, .*eko\.mobile\)$/,
  );
});
