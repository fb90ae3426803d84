import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../src/base/error.ts";
import { findOperation } from "../../../src/operations/catalogue.ts";
import { parseInput } from "../../../src/operations/entry-rules.ts";
import { newDataKey } from "../../../src/privacy/sealing/data-key.ts";
import { Opener } from "../../../src/privacy/sealing/opener.ts";
import { dataKeyIdsIn, Sealer } from "../../../src/privacy/sealing/sealed-text.ts";
import { resealed } from "../../../src/records/resealed.ts";
import { openInput, openPersonal, PERSONAL, sealInput, sealPersonal } from "../../../src/records/sealed-input.ts";
import { refusal } from "../providers/refusal.ts";

const OPERATION = findOperation("eko.mobile-otp");
/** Made up. */
const MOBILE = "9123456780";
const INPUT = parseInput(OPERATION, { mobile: MOBILE, csp_id: "agent-1" }, { now: 0, aadhaarChecksum: true });
const JOB = { operation: OPERATION.name, jobId: "j-1" };

function setup(sealsWhole = false) {
  const [{ dataKey }, { dataKey: fresh }] = [newDataKey("day:2026-11-21"), newDataKey("day:2026-11-21")];
  const keys = new Map([dataKey, fresh].map((key) => [key.id, key]));
  return {
    sealer: new Sealer(dataKey, 1, { sealsWhole }),
    freshSealer: new Sealer(fresh, 1),
    opener: new Opener(keys),
  };
}

describe("a stored input", () => {
  it("is given back with its secrets, and shows none", () => {
    const { sealer, opener } = setup();
    const text = sealInput(sealer, OPERATION, "j-1", INPUT);
    expect(text).not.toContain(MOBILE);
    expect(JSON.parse(text)).toMatchObject({ sealed: { mobile: expect.any(String) as string } });
    expect(openInput(opener, OPERATION, "j-1", text)).toEqual(INPUT);
    expect(refusal(() => openInput(opener, OPERATION, "j-2", text)).code).toBe(ErrorCode.UNREADABLE);
  });

  it("is given back from one piece, whatever this process seals in", () => {
    const [ofOthers, { opener, sealer }] = [setup(true), setup()];
    const text = sealInput(ofOthers.sealer, OPERATION, "j-1", INPUT);
    expect(openInput(ofOthers.opener, OPERATION, "j-1", text)).toEqual(INPUT);
    expect(text.length).toBeLessThan(0.8 * sealInput(sealer, OPERATION, "j-1", INPUT).length);
    // It is of another key.
    expect(() => openInput(opener, OPERATION, "j-1", text)).toThrow();
  });

  it.each([
    "",
    "{",
    "null",
    "[]",
    '"text"',
    "{}",
    '{"plain":{}}',
    '{"plain":{},"sealed":{"mobile":7}}',
    '{"plain":{},"sealed":7}',
    '{"plain":{},"sealed":null}',
    '{"plain":{},"sealed":"text"}',
    '{"plain":7,"sealed":{}}',
  ])("that became %j is unreadable", (text) => {
    const { opener } = setup();
    expect(refusal(() => openInput(opener, OPERATION, "j-1", text)).code).toBe(ErrorCode.UNREADABLE);
  });
});

it("personal data of a result are given back, for their job alone", () => {
  const { sealer, opener } = setup();
  const text = sealPersonal(sealer, OPERATION, "j-1", { name: "MADE UP" });
  expect(openPersonal(opener, OPERATION, "j-1", text)).toEqual({ name: "MADE UP" });
  expect(refusal(() => openPersonal(opener, OPERATION, "j-2", text)).code).toBe(ErrorCode.UNREADABLE);
});

it.each(["", "{", "null", "7", "[]", '"text"'])(
  "personal data that became %j are unreadable, in one sentence",
  (text) => {
    const { sealer, opener } = setup();
    const sealed = sealer.seal(text, { ...JOB, field: PERSONAL });
    const { code, message } = refusal(() => openPersonal(opener, OPERATION, "j-1", sealed));
    expect(code).toBe(ErrorCode.UNREADABLE);
    expect(message).toMatch(/^the personal part of the result of job j-1 [^\n]+ another version wrote it$/);
  },
);

describe("sealing anew", () => {
  it.each([false, true])("changes the data key and nothing else, also where one piece is %s", (sealsWhole) => {
    const { sealer, freshSealer, opener } = setup(sealsWhole);
    const options = { opener, sealerFor: () => freshSealer };
    const input = sealInput(sealer, OPERATION, "j-1", INPUT);
    const again = resealed("input", input, JOB, options);
    expect(dataKeyIdsIn(again)).toEqual(dataKeyIdsIn(input).map(() => freshSealer.dataKey.id));
    expect(typeof (JSON.parse(again) as { sealed: unknown }).sealed).toBe(sealsWhole ? "string" : "object");
    expect(openInput(opener, OPERATION, "j-1", again)).toEqual(INPUT);
    const personal = resealed("personal", sealPersonal(sealer, OPERATION, "j-1", { name: "MADE UP" }), JOB, options);
    expect(dataKeyIdsIn(personal)).toEqual([freshSealer.dataKey.id]);
    expect(openPersonal(opener, OPERATION, "j-1", personal)).toEqual({ name: "MADE UP" });
  });

  it("leaves every byte where nothing has to be sealed", () => {
    const { sealer, opener } = setup();
    const input = sealInput(sealer, OPERATION, "j-1", INPUT);
    expect(resealed("input", input, JOB, { opener, sealerFor: () => null })).toBe(input);
  });

  it("does not make a misplaced value fit", () => {
    const { sealer, freshSealer, opener } = setup();
    const input = sealInput(sealer, OPERATION, "j-2", INPUT);
    const options = { opener, sealerFor: () => freshSealer };
    expect(refusal(() => resealed("input", input, JOB, options)).code).toBe(ErrorCode.UNREADABLE);
  });
});
