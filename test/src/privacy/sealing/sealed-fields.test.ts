import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ErrorCode } from "../../../../src/base/error.ts";
import { newDataKey } from "../../../../src/privacy/sealing/data-key.ts";
import { Opener } from "../../../../src/privacy/sealing/opener.ts";
import { openFields, sealFields, WHOLE } from "../../../../src/privacy/sealing/sealed-fields.ts";
import { Sealer } from "../../../../src/privacy/sealing/sealed-text.ts";
import { Secret } from "../../../../src/secrets/secret.ts";
import { refusal } from "../../providers/refusal.ts";

const AADHAAR = "999999990019";
const JOB = { operation: "eko.mobile-otp.verify", jobId: "j-1" };
const input = {
  aadhaar: new Secret(AADHAAR, "aadhaar"),
  residence_address: new Secret('{"line":"12, MG Road"}'),
  intent_id: 20,
  consent: { reference: "c-1", method: "web" },
  of: "j-0",
};

/** The two forms in which the secrets of an input are sealed. */
const FORMS = [
  ["each for itself", false],
  ["in one piece", true],
] as const;

function setup(sealsWhole = false) {
  const { dataKey } = newDataKey("batch:b-1");
  return {
    sealer: new Sealer(dataKey, 1, { sealsWhole }),
    opener: new Opener(new Map([[dataKey.id, dataKey]])),
    dataKey,
  };
}

describe("sealFields and openFields", () => {
  it("seal what is secret, leave the rest, and give all of it back as plain JSON values", () => {
    const { sealer, opener } = setup();
    const stored = sealFields(sealer, input, JOB);
    expect(stored.plain).toEqual({ intent_id: 20, consent: { reference: "c-1", method: "web" }, of: "j-0" });
    expect(Object.keys(stored.sealed)).toEqual(["aadhaar", "residence_address"]);
    expect(JSON.stringify(stored)).not.toMatch(/999999990019|MG Road/);
    expect(JSON.parse(JSON.stringify(stored))).toEqual(stored);
    expect(openFields(opener, stored, JOB)).toEqual({
      ...input,
      aadhaar: AADHAAR,
      residence_address: '{"line":"12, MG Road"}',
    });
  });

  it("seal all that is secret in one text, where the sealer does so", () => {
    const { sealer, opener } = setup(true);
    const stored = sealFields(sealer, input, JOB);
    expect(stored).toEqual({
      plain: { intent_id: 20, consent: { reference: "c-1", method: "web" }, of: "j-0" },
      sealed: expect.stringMatching(/^s2\.[0-9a-z]{12}\.[A-Za-z0-9_-]+$/) as string,
    });
    expect(JSON.stringify(stored)).not.toMatch(/999999990019|MG Road|aadhaar/);
    expect(openFields(opener, stored, JOB)).toMatchObject({ aadhaar: AADHAAR, intent_id: 20 });
    expect(refusal(() => openFields(opener, stored, { ...JOB, jobId: "j-2" })).code).toBe(ErrorCode.UNREADABLE);
    expect(sealFields(sealer, { of: "j-0" }, JOB).sealed).toEqual({});
  });

  it.each(["7", "null", '"text"', "{"])("do not open one piece that holds %j, which is no fields", (clear) => {
    const { sealer, opener } = setup(true);
    const sealed = sealer.seal(clear, { ...JOB, field: WHOLE });
    const { code, cause } = refusal(() => openFields(opener, { plain: {}, sealed }, JOB));
    expect([code, cause]).toEqual([ErrorCode.UNREADABLE, undefined]);
  });

  it("do not open a field's text in the place of all, or all in the place of a field", () => {
    const { sealer, opener } = setup(true);
    const { sealed: whole } = sealFields(sealer, input, JOB);
    const one = sealer.seal("{}", { ...JOB, field: "aadhaar" });
    for (const sealed of [one, { aadhaar: whole as string }])
      expect(refusal(() => openFields(opener, { plain: {}, sealed }, JOB)).code).toBe(ErrorCode.UNREADABLE);
  });

  it.each(FORMS)("give back any fields, whatever their names, sealed %s", (_, sealsWhole) => {
    const { sealer, opener } = setup(sealsWhole);
    const text = fc.string({ unit: "binary", maxLength: 60 });
    const value = fc.oneof(
      text.map((clear) => ({ given: new Secret(clear) as unknown, clear: clear as unknown })),
      fc.jsonValue().map((json) => ({ given: json, clear: json })),
    );
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(text, value), { selector: ([name]) => name }), (fields) => {
        const given = Object.fromEntries(fields.map(([name, { given: field }]) => [name, field]));
        const clear = Object.fromEntries(fields.map(([name, { clear: field }]) => [name, field]));
        expect(openFields(opener, sealFields(sealer, given, JOB), JOB)).toEqual(clear);
      }),
    );
  });

  it("do not open the fields of another job, or two that changed places", () => {
    const { sealer, opener } = setup();
    const stored = sealFields(sealer, { a: new Secret("1"), b: new Secret("2") }, JOB);
    const { a = "", b = "" } = stored.sealed as Record<string, string>;
    expect(refusal(() => openFields(opener, stored, { ...JOB, jobId: "j-2" })).code).toBe(ErrorCode.UNREADABLE);
    const swapped = { plain: {}, sealed: { a: b, b: a } };
    expect(refusal(() => openFields(opener, swapped, JOB)).code).toBe(ErrorCode.UNREADABLE);
  });

  it.each([[[new Secret("1")]], [{ deep: { er: new Secret("1") } }]])(
    "refuse a secret inside a plain field, which would be stored as its mask",
    (consent) => {
      expect(() => sealFields(setup().sealer, { consent }, JOB)).toThrow(
        new TypeError("the field consent of eko.mobile-otp.verify has a Secret inside it"),
      );
    },
  );
});

describe("an opener", () => {
  const FOR = { ...JOB, field: "otp" };

  it("says of what its key is missing for that it was destroyed, and where", () => {
    const { sealer, dataKey } = setup();
    const opener = new Opener(new Map([[dataKey.id, { kind: "shredded" }]]));
    const error = refusal(() => opener.open(sealer.seal("123456", FOR), FOR));
    expect(error.code).toBe(ErrorCode.SHREDDED);
    expect(error.message).toMatch(/^the sealed otp of job j-1 .* was destroyed/);
  });

  it("says which wrapping key is missing", () => {
    const { sealer, dataKey } = setup();
    const opener = new Opener(new Map([[dataKey.id, { kind: "unknown-key", message: 'it needs the key "old"' }]]));
    const error = refusal(() => opener.open(sealer.seal("123456", FOR), FOR));
    expect(error.code).toBe(ErrorCode.UNKNOWN_KEY);
    expect(error.message).toContain('the key "old"');
  });

  it("tells the scope of what was sealed, also inside a JSON text", () => {
    const { sealer, opener } = setup();
    const text = sealer.seal("123456", FOR);
    expect(opener.scopeOf(text)).toBe("batch:b-1");
    expect(opener.scopeOf(JSON.stringify({ plain: {}, sealed: { otp: text } }))).toBe("batch:b-1");
    expect(opener.scopeOf("{}")).toBeNull();
  });

  it("says of a damaged data key what it says of every damage", () => {
    const { sealer, dataKey } = setup();
    const opener = new Opener(new Map([[dataKey.id, { kind: "unreadable" }]]));
    expect(refusal(() => opener.open(sealer.seal("123456", FOR), FOR)).code).toBe(ErrorCode.UNREADABLE);
    expect(refusal(() => opener.open("123456", FOR)).code).toBe(ErrorCode.UNREADABLE);
  });
});
