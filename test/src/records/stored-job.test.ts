import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LANES } from "../../../src/outcomes/lane.ts";
import { packJob, type StoredJob, unpackJob } from "../../../src/records/stored-job.ts";

const PLAIN: StoredJob = {
  ...{ operation: "eko.mobile-otp.verify", lane: "bulk", createdAt: 1_800_000_000_000, expiresAt: null },
  ...{ subject: "s", reference: { fixed: "ref-1" }, of: "sent", holdNames: ["user_code:X", "operation:Y"] },
};
/** As ids, references and hold names are: `checkOwnId`, facts/eko §6, `holdNamesOf`. */
const text = (pattern: RegExp) => fc.stringMatching(pattern);
const ID = text(/^[A-Za-z0-9._-]{1,64}$/);
const REFERENCE = text(/^[A-Za-z0-9_-]{1,20}$/);
const TIME = fc.integer({ min: 0, max: 8.64e15 });
const JOB: fc.Arbitrary<StoredJob> = fc.record({
  operation: text(/^[a-z]+(\.[a-z-]+){1,3}$/),
  lane: fc.constantFrom(...LANES),
  createdAt: TIME,
  expiresAt: fc.option(TIME),
  subject: fc.option(text(/^[A-Za-z0-9_]{20,43}$/)),
  reference: fc.oneof(
    fc.constantFrom("derived" as const, "fresh" as const),
    REFERENCE.map((fixed) => ({ fixed })),
  ),
  of: fc.option(ID),
  holdNames: fc.array(text(/^(user_code|initiator_id|operation):[A-Za-z0-9._-]{1,20}$/), { maxLength: 3 }),
});

describe("a stored job", () => {
  it("is given back as it was", () => {
    fc.assert(
      fc.property(JOB, (job) => {
        expect(unpackJob(packJob(job))).toEqual(job);
      }),
      // Both may be named so: `checkOwnId`, `clientRefId` of the inputs.
      { examples: [[{ ...PLAIN, of: "-" }], [{ ...PLAIN, reference: { fixed: "-" } }]] },
    );
  });

  it("is one line of words, the first seven of which are always there", () => {
    fc.assert(
      fc.property(JOB, (job) => {
        const words = packJob(job).split(" ");
        expect(words).toHaveLength(7 + job.holdNames.length);
        expect(words.every((word) => /^\S+$/.test(word))).toBe(true);
      }),
    );
  });

  it("reads as its table says", () => {
    expect(packJob(PLAIN)).toBe("eko.mobile-otp.verify bulk 1800000000000 ~ s ref-1 sent user_code:X operation:Y");
    expect(packJob({ ...PLAIN, subject: null, of: null, holdNames: [], reference: "derived", expiresAt: 7 })).toBe(
      "eko.mobile-otp.verify bulk 1800000000000 7 ~ + ~",
    );
  });
});
