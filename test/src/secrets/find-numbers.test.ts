import { createHash, randomBytes, randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { findNumbers } from "../../../src/secrets/find-numbers.ts";
import { isVerhoeffValid } from "../../../src/secrets/verhoeff.ts";
import { createIds } from "../../../src/records/ids.ts";

/** Made up: no real person's. */
const VALID = "234123412346";
const OTHER = "999941057058";

const shown = (text: string): string[] => findNumbers(Buffer.from(text).toString("latin1")).map((found) => found.shown);

describe("an Aadhaar-like number is found", () => {
  it.each([
    VALID,
    `{"aadhaar":"${VALID}"}`,
    `{"aadhaar":${VALID}}`,
    `aadhaar${VALID}`,
    `x${VALID}y`,
    `line\\n${VALID}\\n`,
    String.raw`the number\u00a0${VALID}`,
    `?aadhaar_number=${VALID}&consent=Y`,
    `?q=aadhaar%3D${VALID}`,
    `?q=a%20${VALID}%20b`,
    `job:${VALID}:x`,
    `kyc-${VALID}`,
    `_${VALID}_`,
    `It is ${VALID}. It was`,
    `1,${VALID}.0,Asha`,
    `$12\r\n${VALID}\r\n`,
    "2341 2341 2346",
    "(2341-2341-2346)",
    "2341+2341+2346",
    "q=2341%202341%202346&",
    "2341\u00a02341\u00a02346",
    `é${VALID}é`,
  ])("in %j", (text) => {
    expect(shown(text)).toEqual(["XXXX XXXX 2346"]);
  });

  it("each for itself, and where it is", () => {
    const text = `${VALID},${OTHER}; 9999 4105 7058 2341 2341 2346`;
    expect(findNumbers(text).map(({ shown: mask, at, end }) => [mask, text.slice(at, end)])).toEqual([
      ["XXXX XXXX 2346", VALID],
      ["XXXX XXXX 7058", OTHER],
      ["XXXX XXXX 7058", "9999 4105 7058"],
      ["XXXX XXXX 2346", "2341 2341 2346"],
    ]);
  });
});

describe("no number is found", () => {
  it.each([
    "234123412345", // Verhoeff
    "134123412345",
    `${VALID}0`,
    `1${VALID}`,
    `abc${VALID}def`, // a digest
    `a1b${VALID}`,
    `${VALID}x9`,
    `zz${"q".repeat(30)}${VALID}`,
    `0.${VALID}`,
    `${VALID}.5`,
    `6e3dab12-49e7-4bfc-81b7-${VALID}`,
    "6e3dab12-2341-2341-2346-c0cc5ef81701",
    "2341 2341 2346 2341",
    "2341-2341 2346",
    "XXXX XXXX 2346",
    "2026-11-21 12:00:00.000",
  ])("in %j", (text) => {
    expect(shown(text)).toEqual([]);
  });
});

describe("what we keep ourselves", () => {
  const ids = createIds();
  const made = 100_000;
  const T0 = Date.UTC(2026, 0, 1);
  const kinds: Readonly<Record<string, (n: number) => string>> = {
    ids: (n) => ids.reference(T0 + n * 61_001),
    "keys of jobs": (n) => `satyapan:{eko-0}:job:${ids.job(T0 + n)}`,
    "times in ms": (n) => String(T0 + n * 315_569), // a hundred thousand of them over a thousand years
    "stream entries": (n) => `${T0 + n * 7_919}-${n % 7}`,
    "scores of delayed jobs": (n) => String((T0 + n * 7_919) * 0x1000 + (n % 0x1000)),
    "scores of bulk jobs": (n) => String((n % 2 === 0 ? 10 : 20) * 0x100000000 + n),
    "sealed texts": () => `s2.0k3jf8a7dlq2.${randomBytes(60).toString("base64url")}`,
    "sealed texts in base64": () => randomBytes(120).toString("base64"),
    "subject keys": (n) => createHash("sha256").update(String(n)).digest().subarray(0, 16).toString("base64url"),
    "digests in hex": (n) => createHash("sha256").update(String(n)).digest("hex"),
    "UUIDs, lock tokens": (n) => `${randomUUID()}:${n}`,
    attempts: (n) => `{"client_ref_id":"${ids.reference(T0 + n)}","started":${T0 + n},"ended":${T0 + n + 1_234}}`,
    "durations in logs": (n) => `{"ms":${Math.random() * 1_000},"time":${T0 + n}}`,
    "seconds of metrics": () => `satyapan_call_duration_seconds_sum{provider="eko"} ${Math.random() * 1e4}`,
  };

  it.each(Object.entries(kinds))(`holds none in ${made} %s`, (_, make) => {
    const text = Array.from({ length: made }, (_value, n) => make(n) + ("\n ,"[n % 3] ?? "")).join("");
    expect(findNumbers(text)).toEqual([]);
  });

  it("would hold some if only the checksum were looked at (so the rule is of use)", () => {
    const digests = Array.from({ length: made }, (_, n) => kinds["digests in hex"]?.(n) ?? "").join("\n");
    const runs = digests.match(/(?<!\d)[2-9]\d{11}(?!\d)/g) ?? [];
    expect(runs.filter(isVerhoeffValid).length).toBeGreaterThan(20);
  });
});
