import { describe, expect, it } from "vitest";
import { InputCheck } from "../../../src/entry/input-check.ts";
import { InputsError } from "../../../producers/jobs/input-problems.ts";
import { type InputSource, sourceOf } from "../../../producers/jobs/submission.ts";
import { InputError } from "../../../src/operations/input-error.ts";
import { RecordStore } from "../../../src/records/record-store.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { madeUpMobile } from "../../../simulator/people.ts";
import { MOBILE_INPUT, startClientBundle } from "../../support/client.ts";
import { keysIn } from "../../support/redis-content.ts";

/** Three chunks, the last one small. */
const MANY = 1_201;
const inputs = (count: number) =>
  Array.from({ length: count }, (_, index) => ({ mobile: madeUpMobile(index), csp_id: "agent-1" }));

describe("submitMany", () => {
  it("accepts in chunks, in the bulk lane, and says how far it is", async () => {
    await using bundle = await startClientBundle();
    const accepted: number[] = [];
    const records = await bundle.client.submitMany("eko.mobile-otp", inputs(MANY), {
      id: "batch-1",
      expiresIn: "1h",
      onAccepted: (count) => accepted.push(count),
    });
    expect(accepted).toEqual([500, 1_000, 1_201]);
    expect(records.map(({ id }) => id)).toEqual(Array.from({ length: MANY }, (_, index) => `batch-1-${index + 1}`));
    expect(new Set(records.map(({ lane, state }) => `${lane} ${state}`))).toEqual(new Set(["bulk queued"]));
    expect(records.every(({ expires_at }) => expires_at !== null)).toBe(true);
    expect(await bundle.queued("eko")).toEqual(records.map(({ id }) => id));
    expect(await bundle.client.getMany(records.map(({ id }) => id))).toEqual(records);
  });

  it("gives the first jobs back, in order, when the same is submitted again", async () => {
    await using bundle = await startClientBundle();
    const first = await bundle.client.submitMany("eko.mobile-otp", inputs(3), { id: "batch-1" });
    const again = await bundle.client.submitMany("eko.mobile-otp", inputs(5), { id: "batch-1" });
    expect(again.slice(0, 3)).toEqual(first.map((record) => ({ ...record, duplicate: true })));
    expect(again.slice(3).map(({ id, duplicate }) => [id, duplicate])).toEqual([
      ["batch-1-4", undefined],
      ["batch-1-5", undefined],
    ]);
    expect(await bundle.queued("eko")).toHaveLength(5);
  });

  it("takes another lane if it is told to, and an empty list", async () => {
    await using bundle = await startClientBundle();
    const [record] = await bundle.client.submitMany("eko.mobile-otp", inputs(1), { lane: "interactive" });
    expect(record).toMatchObject({ lane: "interactive" });
    expect(await bundle.client.submitMany("eko.mobile-otp", [])).toEqual([]);
  });

  it("accepts none when one is wrong, and names every one that is", async () => {
    await using bundle = await startClientBundle();
    const rows = inputs(MANY).map((input, index) => (index % 600 === 599 ? { ...input, mobile: "12345" } : input));
    const refusal = await bundle.client
      .submitMany("eko.mobile-otp", rows, { id: "b" })
      .catch((error: unknown) => error);
    const message = "mobile: must be a mobile number: 10 digits, the first 6 to 9, no country code";
    expect(refusal).toBeInstanceOf(InputsError);
    expect(refusal).toMatchObject({
      code: ErrorCode.BAD_INPUT,
      message: `2 of ${MANY} inputs are wrong, so none was submitted; the first is number 600: ${message}`,
      problems: [
        { index: 599, message },
        { index: 1_199, message },
      ],
    });
    expect(await keysIn(bundle.redis)).toEqual([]);
  });

  it("accepts none when one of the ids names another job already", async () => {
    await using bundle = await startClientBundle();
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: `b-${MANY}` });
    const before = await keysIn(bundle.redis);
    const refusal = bundle.client.submitMany("eko.mobile-otp", inputs(MANY), { id: "b" });
    await expect(refusal).rejects.toMatchObject({
      code: ErrorCode.ID_CONFLICT,
      message: expect.stringContaining(`b-${MANY} `) as string,
    });
    expect(await keysIn(bundle.redis)).toEqual(before);
  });

  it("reads a list twice that is longer than what is kept, and accepts it in order", async () => {
    await using bundle = await startClientBundle();
    const rows = inputs(10_600);
    let passes = 0;
    const source: InputSource = {
      chunks: async function* () {
        passes++;
        yield* sourceOf(rows).chunks();
      },
    };
    const ids: string[] = [];
    const checked: number[] = [];
    await bundle.client.submitFrom(
      "eko.mobile-otp",
      source,
      { id: "b", onChecked: (count) => checked.push(count, ids.length) },
      async (records) => await Promise.resolve(void ids.push(...records.map(({ id }) => id))),
    );
    expect(passes).toBe(2);
    expect(checked).toEqual([rows.length, 0]);
    expect(ids).toEqual(rows.map((_, index) => `b-${index + 1}`));
  });
});

describe("verifies of one submission", () => {
  it("are checked against their sends in two round trips, however many there are", async () => {
    await using bundle = await startClientBundle();
    const asked: number[] = [];
    const check = new InputCheck({
      fieldsOfMany: async (queue, ids) => {
        asked.push(ids.length);
        return await new RecordStore(bundle.redis.client(), bundle.settings.retention).fieldsOfMany(queue, ids);
      },
      opener: async (texts) => await bundle.dataKeys.opener(texts),
      settings: bundle.settings,
      now: Date.now,
    });
    const verifies = Array.from({ length: 300 }, (_, index) => ({ of: `none-${index}`, otp: "123456" }));
    const answers = await check.checkAll(
      "eko.mobile-otp.verify",
      verifies,
      verifies.map(() => null),
    );
    expect(answers.every((answer) => answer instanceof InputError)).toBe(true);
    expect(asked).toEqual([300, 300]); // one for each provider
  });
});
