import { createHash, randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { findPersonal } from "../../../src/secrets/find-personal.ts";

describe("personal data in a free text", () => {
  it.each([
    ["of 234123412346", "an Aadhaar number"],
    ["of 2341 2341 2346", "an Aadhaar number"],
    ["of 2341-2341-2345", "an Aadhaar number"], // meant as one, whatever the checksum says
    ["of २३४१२३४१२३४६", "an Aadhaar number"],
    ["of ２３４１２３４１２３４６", "an Aadhaar number"],
    ["of 2341\u200b23412346", "an Aadhaar number"],
    ["call 9876543210", "a mobile number"],
    ["call 98765 43210", "a mobile number"],
    ["call +91 98765 43210", "a mobile number"],
    ["call +919876543210", "a mobile number"],
    ["call 09876543210", "a mobile number"],
    ["for asha@example.in", "an e-mail address"],
    ["PAN ABCDE1234F", "a PAN"],
    ["pan:abcde1234f.", "a PAN"],
  ])("is seen in %j: %s", (text, what) => {
    expect(findPersonal(text)).toBe(what);
  });

  it.each([
    "Sender onboarding",
    "ForKYC",
    "KYC & loan: 100% (2nd step, 2026)",
    "C-1",
    "CNS/2026/11/21/000123",
    "2026-11-21-0001",
    "consent-1763726400000",
    "20261121120000",
    "211101129870", // twelve digits that are no Aadhaar number
    "1763726400",
    "checkbox v2, ip 10.0.0.1",
    "ABCDE12345",
    "user@host",
    "XXXX XXXX 2346",
    "XXXXXX3210",
  ])("is not seen in %j", (text) => {
    expect(findPersonal(text)).toBeNull();
  });

  it("is not seen in references that programs make", () => {
    const made = Array.from({ length: 20_000 }, (_, n) => [
      randomUUID(),
      createHash("sha256").update(String(n)).digest("hex"),
      String(1_700_000_000_000 + n * 7_919),
    ]).flat();
    expect(made.filter((text) => findPersonal(text) !== null)).toEqual([]);
  });
});
