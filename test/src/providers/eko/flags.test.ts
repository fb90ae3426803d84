import { expect, it } from "vitest";
import { findOperation } from "../../../../src/operations/catalogue.ts";

const VERIFY = findOperation("eko.mobile-otp.verify");

it.each([[false], ["false"], ["FALSE"], [0], ["0"], ["no"], ["N"]])("verified: %j is a no", (verified) => {
  const text = JSON.stringify({ status: 0, response_status_id: 0, response_type_id: 1632, data: { verified } });
  expect(VERIFY.read({ kind: "reply", status: 200, headers: {}, text }, {})).toMatchObject({ kind: "rejected" });
});
