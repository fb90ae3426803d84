import { describe, expect, it } from "vitest";
import type { RevealOptions } from "../../../producers/jobs/reveal.ts";
import { madeUpAadhaar } from "../../../simulator/people.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { findOperation } from "../../../src/operations/catalogue.ts";
import { outboxKey } from "../../../src/privacy/audit/outbox.ts";
import { dayScope } from "../../../src/privacy/sealing/data-key.ts";
import { queueOf, recordKey } from "../../../src/queues/names.ts";
import { sealPersonal } from "../../../src/records/sealed-input.ts";
import {
  AADHAAR_INPUT,
  type ClientBundle,
  CONSENT,
  MOBILE,
  MOBILE_INPUT,
  startClientBundle,
} from "../../support/client.ts";
import { startWorkerBundle } from "../../support/worker.ts";

const QUEUE = queueOf("eko");
const WHY = "ticket 17: the person asked what we hold";
const PERSONAL = { name: "Made Up", address: { city: "Nowhere" } };

interface Entry {
  readonly kind: string;
  readonly [field: string]: unknown;
}

/** What a worker will chain into the audit log. */
async function entries({ redis }: Pick<ClientBundle, "redis">, queue = QUEUE): Promise<Entry[]> {
  const found = await redis.client().xrange(outboxKey(queue), "-", "+");
  return found.map(([, [, text = ""]]) => JSON.parse(text) as Entry);
}

/** A send that succeeded, with its input and a personal part. */
async function sentJob(bundle: ClientBundle, id = "job-1"): Promise<void> {
  await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id });
  await bundle.begin(id, "eko", `ref-${id}`);
  const sealer = await bundle.dataKeys.sealer(dayScope(Date.now()));
  const personal = sealPersonal(sealer, findOperation("eko.mobile-otp"), id, PERSONAL);
  await bundle.finish(id, "eko", "succeeded", { result: { otp_sent: true }, personal });
}

describe("reveal", () => {
  it("gives a job's values in clear, and is in the audit log, with nothing of them", async () => {
    await using bundle = await startClientBundle();
    await sentJob(bundle);
    const revealed = await bundle.client.reveal("job-1", { reason: `  ${WHY} ` });
    expect(revealed.input).toEqual(MOBILE_INPUT);
    expect(revealed.personal).toEqual(PERSONAL);
    expect(revealed.record).toEqual(await bundle.client.get("job-1"));
    const [entry, ...more] = await entries(bundle);
    expect(more).toEqual([]);
    expect(entry).toMatchObject({
      ...{ kind: "reveal", actor: "library:test", job: "job-1", operation: "eko.mobile-otp", reason: WHY },
      ...{ consent: null, subject: expect.stringMatching(/^[\w-]{22}$/) as string },
    });
    expect(await bundle.redis.aofText()).not.toMatch(new RegExp(`${MOBILE}|Made Up|Nowhere`));
  });

  it("is the only way: no record shows them", async () => {
    await using bundle = await startClientBundle();
    await sentJob(bundle);
    const shown = JSON.stringify([await bundle.client.get("job-1"), await bundle.client.explain("job-1")]);
    expect(shown).not.toMatch(new RegExp(`${MOBILE}|Made Up|Nowhere|agent-1`));
    expect(await entries(bundle)).toEqual([]);
  });

  it("names the consent of the input, and the actor that is given", async () => {
    await using bundle = await startClientBundle();
    await bundle.client.submit("deepvue.aadhaar-otp", AADHAAR_INPUT, { id: "job-1" });
    const { input, personal } = await bundle.client.reveal("job-1", { reason: WHY, actor: "asha" });
    expect({ input, personal }).toEqual({ input: AADHAAR_INPUT, personal: null });
    expect((await entries(bundle, queueOf("deepvue"))).at(-1)).toMatchObject({
      ...{ kind: "reveal", actor: "library:asha", consent: CONSENT.reference },
    });
  });

  it("answers nothing, and destroys nothing, where the audit log cannot be written", async () => {
    await using bundle = await startClientBundle();
    await sentJob(bundle);
    await bundle.redis.client().set(outboxKey(QUEUE), "no stream");
    const before = await bundle.redis.client().hgetall(recordKey(QUEUE, "job-1"));
    await expect(bundle.client.reveal("job-1", { reason: WHY, once: true })).rejects.toThrow();
    expect(await bundle.redis.client().hgetall(recordKey(QUEUE, "job-1"))).toEqual(before);
  });

  it.each([
    ["no reason", {}, "reason: say why: it is kept with the record"],
    ["a blank one", { reason: " " }, "reason: say why: it is kept with the record"],
    [
      "a mobile number",
      { reason: "asked +91 98765 01234" },
      "reason: holds what looks like a mobile or Aadhaar number",
    ],
    [
      "an Aadhaar number",
      { reason: "for 9999 9999 0019." },
      "reason: holds what looks like a mobile or Aadhaar number",
    ],
    ["two lines", { reason: "one\ntwo" }, "reason: must be one line of text"],
    ["an actor with a number", { reason: WHY, actor: MOBILE }, "actor: must be 1 to 64 characters"],
    ["an empty actor", { reason: WHY, actor: "" }, "actor: must be 1 to 64 characters"],
  ])("is refused with %s, and not in the log", async (_what, options, message) => {
    await using bundle = await startClientBundle();
    await sentJob(bundle);
    const revealing = bundle.client.reveal("job-1", options as RevealOptions);
    await expect(revealing).rejects.toMatchObject({
      ...{ code: ErrorCode.BAD_INPUT, message: expect.stringContaining(message) as string },
    });
    await expect(revealing).rejects.not.toThrow(MOBILE);
    expect(await entries(bundle)).toEqual([]);
  });

  it("destroys the result's personal part with the answer, if it is to be fetched once", async () => {
    await using bundle = await startClientBundle();
    await sentJob(bundle);
    expect((await bundle.client.reveal("job-1", { reason: WHY, once: true })).personal).toEqual(PERSONAL);
    expect(await bundle.redis.client().hexists(recordKey(QUEUE, "job-1"), "personal")).toBe(0);
    expect(await bundle.redis.client().pttl(recordKey(QUEUE, "job-1"))).toBeGreaterThan(0);
    const again = await bundle.client.reveal("job-1", { reason: WHY, once: true });
    expect(again).toMatchObject({ record: { state: "succeeded" }, input: MOBILE_INPUT, personal: null });
    expect(await entries(bundle)).toHaveLength(2);
  });

  it("gives null for what is not kept any more, and is in the log all the same", async () => {
    await using bundle = await startClientBundle();
    await sentJob(bundle);
    await bundle.records.reap(QUEUE, Date.now() + 2 * bundle.settings.retention.resultMs);
    await bundle.records.reap(QUEUE, Date.now() + 2 * bundle.settings.retention.resultMs);
    const { record, input, personal } = await bundle.client.reveal("job-1", { reason: WHY });
    expect({ input, personal, state: record.state }).toEqual({ input: null, personal: null, state: "succeeded" });
    expect((await entries(bundle)).map(({ kind }) => kind)).toEqual(["reveal"]);
  });

  it("says that a value was shredded or altered, and that there is no such job", async () => {
    await using bundle = await startClientBundle();
    await sentJob(bundle, "job-1");
    const key = recordKey(QUEUE, "job-1");
    const sealed = (await bundle.redis.client().hget(key, "personal")) ?? "";
    await bundle.redis.client().hset(key, "personal", sealed.slice(0, -4));
    const reveal = async (id: string) => await bundle.newClient().reveal(id, { reason: WHY });
    await expect(reveal("job-1")).rejects.toMatchObject({ code: ErrorCode.UNREADABLE });
    await bundle.redis.client().hset(key, "personal", sealed);
    const { dataKeys, redis } = bundle;
    await dataKeys.destroy([(/s2\.(\w{12})\./.exec(sealed) ?? [])[1] ?? ""]);
    await expect(reveal("job-1")).rejects.toMatchObject({ code: ErrorCode.SHREDDED });
    await expect(reveal("job-2")).rejects.toMatchObject({ code: ErrorCode.UNKNOWN_JOB });
    expect(await redis.client().xlen(outboxKey(QUEUE))).toBe(0);
  });

  it("opens what a worker sealed, and the worker's log has nothing of it", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    const input = { ...AADHAAR_INPUT, aadhaar: madeUpAadhaar(1) };
    const sent = await bundle.client.submit("deepvue.aadhaar-otp", input);
    await bundle.client.waitFor(sent.id);
    const { otp } = await bundle.simulator.waitForOtp(input.aadhaar);
    const { id } = await bundle.client.submitUnchecked("deepvue.aadhaar-otp.verify", { of: sent.id, otp });
    expect(await bundle.client.waitFor(id)).toMatchObject({ state: "succeeded" });
    const { input: none, personal } = await bundle.client.reveal(id, { reason: WHY });
    expect(none).toBeNull();
    const name = (personal ?? {})["name"];
    expect(name).toMatch(/\w/);
    const traces = bundle.log.join("") + (await bundle.redis.aofText());
    expect(traces).not.toContain(name);
    expect(traces).not.toContain(input.aadhaar);
  });
});
