import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { JOB_STATES } from "../../../src/outcomes/state.ts";
import { RECORD } from "../../../src/records/scripts/record.ts";
import { packJob, type StoredJob } from "../../../src/records/stored-job.ts";
import { brokenFields } from "../../../src/records/stored-values.ts";
import { luaValue } from "../../support/lua.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

const WORD = fc.stringMatching(/^[\w.:-]{1,12}$/);
const TIME = fc.integer({ min: 0, max: 8.64e15 });
const JOB: fc.Arbitrary<StoredJob> = fc.record({
  operation: WORD,
  lane: fc.constantFrom("interactive", "bulk"),
  createdAt: TIME,
  expiresAt: fc.option(TIME),
  subject: fc.option(WORD),
  reference: fc.oneof(fc.constantFrom("derived" as const, "fresh" as const), fc.record({ fixed: WORD })),
  of: fc.option(WORD),
  holdNames: fc.array(WORD, { maxLength: 3 }),
});

describe("a stored job in Lua", () => {
  it("is what TypeScript packed", async () => {
    const client = redis.client();
    await fc.assert(
      fc.asyncProperty(JOB, async (job) => {
        const { operation, lane, createdAt, expiresAt, subject, of, holdNames } = job;
        const parsed = await luaValue(client, [RECORD], "parse_job(text)", { text: packJob(job) });
        expect(parsed).toMatchObject({
          ...{ operation, lane, created: String(createdAt), endless: expiresAt === null, scopes: holdNames.join(" ") },
          ...{ subject: subject ?? "~", of: of ?? "~" },
        });
        const { expires } = parsed as { readonly expires?: number };
        // cjson writes 14 digits.
        expect((expires ?? 0) / ((expiresAt ?? 0) || 1)).toBeCloseTo(expiresAt === null || expiresAt === 0 ? 0 : 1, 10);
      }),
    );
  });

  it("is broken where TypeScript finds it broken, by the same names", async () => {
    const client = redis.client();
    const good = fc.record({
      job: fc.oneof({ weight: 3, arbitrary: JOB.map(packJob) }, fc.constantFrom("", "x", "a b c d e f g")),
      state: fc.constantFrom(...JOB_STATES, "done", ""),
      attempts: fc.constantFrom("0", "1", "100000", "100001", "-1", "1.5", "x"),
      next: fc.option(fc.constantFrom("0", "1800000000000", "soon")),
    });
    await fc.assert(
      fc.asyncProperty(good, async ({ job, state, attempts, next }) => {
        const expression = "broken_fields(parse_job(job), state, tonumber(attempts), due ~= cjson.null and due) or ''";
        const found = await luaValue(client, [RECORD], expression, { job, state, attempts, due: next });
        const fields = { job, state, attempts, ...(next === null ? {} : { next }) };
        expect(found).toBe(brokenFields(fields).join(", "));
      }),
    );
  });
});
