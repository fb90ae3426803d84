import { describe, expect, it } from "vitest";
import { InputsError } from "../../../producers/jobs/input-check.ts";
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
});
