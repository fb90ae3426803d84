import { describe, expect, it } from "vitest";
import { Secret } from "../../../src/secrets/secret.ts";
import { divideReply, maskedAadhaar, referenceOf } from "../../../src/providers/divide-reply.ts";
import { EchoGuard } from "../../../src/providers/echo-guard.ts";

const ECHO_GUARD = new EchoGuard({
  aadhaar: new Secret("999999990019", "aadhaar"),
  name: new Secret("Asha Example"),
  otp_ref_id: new Secret("73849201"),
  csp_id: new Secret("100"),
  purpose: "ForKYC",
});

describe("EchoGuard", () => {
  it.each(["999999990019", "x999999990019y", "9999-9999-0019", "asha example", "Mrs ASHA EXAMPLE-KUMAR"])(
    "finds what is secret in %s",
    (text) => {
      expect(ECHO_GUARD.hasEcho(text)).toBe(true);
    },
  );

  it.each([
    ["base64", Buffer.from("999999990019~4711").toString("base64")],
    ["base64 for URLs", Buffer.from("ÿþ>?999999990019").toString("base64url")],
    ["base64 behind something else", `v1-${Buffer.from("ref~9999-9999-0019").toString("base64")}`],
    ["base64 within a sentence", `see ${Buffer.from("asha example").toString("base64")} for it`],
    ["hex", Buffer.from("999999990019").toString("hex")],
    ["hex behind a digit", `7${Buffer.from("999999990019").toString("hex").toUpperCase()}`],
  ])("finds what is secret in %s", (_form, text) => {
    expect(ECHO_GUARD.hasEcho(text)).toBe(true);
  });

  it.each([Buffer.from("888888880019~4711").toString("base64"), "af39bb86-6e3d-49e7-bfc1-b7c0cc5ef817"])(
    "finds nothing in %s",
    (text) => {
      expect(ECHO_GUARD.hasEcho(text)).toBe(false);
    },
  );

  it.each(["99999999001", "Asha", "73849201", "100", "ForKYC", ""])("finds nothing in %s", (text) => {
    expect(ECHO_GUARD.hasEcho(text)).toBe(false);
  });
});

describe("divideReply", () => {
  it("keeps references in clear, and everything else as personal", () => {
    const data = {
      tid: 2_886_978_474,
      otp_ref_id: "IXrygqm0vTNb+/TkQw==",
      reference_tid: "9999-9999-0019",
      user_code: "not one of ours",
      client_ref_id: "REQ-20260101-001",
      name: "Asha",
      empty: "",
      nothing: null,
    };
    const keeps = ["tid", "otp_ref_id", "reference_tid", "user_code", "client_ref_id", "missing"];
    expect(divideReply(data, keeps, ECHO_GUARD)).toEqual({
      result: { tid: "2886978474", otp_ref_id: "IXrygqm0vTNb+/TkQw==", client_ref_id: "REQ-20260101-001" },
      personal: { reference_tid: "9999-9999-0019", user_code: "not one of ours", name: "Asha" },
    });
  });
});

describe("referenceOf", () => {
  it.each([
    ["29756208", "29756208"],
    [29_756_208, "29756208"],
    [" x ", "x"],
    ["x".repeat(1024), "x".repeat(1024)],
    ["x".repeat(1025), null],
    ["", null],
    ["  ", null],
    [true, null],
    [{}, null],
    [["x"], null],
    [undefined, null],
  ])("of %j is %j", (value, reference) => {
    expect(referenceOf(value)).toBe(reference);
  });
});

describe("maskedAadhaar", () => {
  it.each([
    ["xxxx-xxxx-0000", "XXXX XXXX 0000"],
    ["XXXX-XXXX-3456", "XXXX XXXX 3456"],
    ["999999990019", "XXXX XXXX 0019"],
    ["XXXX XXXX 001", null],
    ["0019 of Asha", null],
    [19, null],
    [null, null],
  ])("of %j is %j", (value, masked) => {
    expect(maskedAadhaar(value)).toBe(masked);
  });
});
