import { describe, expect, it } from "vitest";
import { expectedSecretKey, isSigned } from "../../../simulator/eko/signature.ts";

const TIMESTAMP = "1700000000000";
const KEYS = { developerKey: "d", accessKey: "TEST_ACCESS_KEY_DO_NOT_USE" };
const SIGNED = { developerKey: "d", secretKey: "u30ak/iOGwKCaspqCeiYng8fd98QDx7kF3DBBOadQHk=", timestamp: TIMESTAMP };

describe("expectedSecretKey", () => {
  // facts/eko §1.2: published vectors V1 and V2; the keys in them are no one's.
  it.each([
    ["TEST_ACCESS_KEY_DO_NOT_USE", "u30ak/iOGwKCaspqCeiYng8fd98QDx7kF3DBBOadQHk="],
    ["test-access-key-123", "88lqTf9ew69XbVbeczjxVL8/B4vibfp1MvTi1mIj2Xo="],
  ])("computes the published vector of %s", (accessKey, secretKey) => {
    expect(expectedSecretKey(accessKey, TIMESTAMP)).toBe(secretKey);
  });
});

describe("isSigned", () => {
  it("accepts the published vector at its time", () => {
    expect(isSigned(SIGNED, KEYS, 1_700_000_000_000, 0)).toBe(true);
  });

  it.each([
    ["the raw access key as key", "GxF3Pm81zvVbFPbQzDWcPXU+v9tKaMHsjtTxjdwDR9w="],
    ["key and message swapped", "fKi/n2+tSC8b8v6Vo4djuym4p9NznJuBCTMwYLD1VIo="],
    ["a newline after the base64 key", "oHTBvC5YQxVKOYNCYVtb2STzTIc7RKqHLRBCYFiNUSo="],
    ["seconds instead of milliseconds", "r7oU5Fxiv4cMkRGH2Lf0EAcGOwBuMSiMGLJVZ0SDuVk="],
    ["hexadecimal instead of base64", "bb7d1a93f88e1b02826aca6a09e8989e0f1f77df100f1ee41770c104e69d4079"],
  ])("refuses the published mistake: %s", (_, secretKey) => {
    expect(isSigned({ ...SIGNED, secretKey }, KEYS, 1_700_000_000_000, 0)).toBe(false);
  });

  it("accepts a clock that is off by the tolerance, and not by one millisecond more", () => {
    for (const direction of [-1, 1]) {
      expect(isSigned(SIGNED, KEYS, 1_700_000_000_000 + direction * 5_000, 5_000)).toBe(true);
      expect(isSigned(SIGNED, KEYS, 1_700_000_000_000 + direction * 5_001, 5_000)).toBe(false);
    }
  });

  it.each([
    ["another developer key", { ...SIGNED, developerKey: "e" }],
    ["no developer key", { ...SIGNED, developerKey: null }],
    ["no signature", { ...SIGNED, secretKey: null }],
    ["no timestamp", { ...SIGNED, timestamp: null }],
    ["a timestamp in seconds", { ...SIGNED, timestamp: "1700000000" }],
  ])("refuses %s", (_, headers) => {
    expect(isSigned(headers, KEYS, 1_700_000_000_000, Number.MAX_SAFE_INTEGER)).toBe(false);
  });
});
