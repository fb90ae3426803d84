import { describe, expect, it } from "vitest";
import { madeUpAadhaar, madeUpMobile } from "../../../simulator/people.ts";
import { ErrorCode } from "../../../src/base/error.ts";
import { outboxKey } from "../../../src/privacy/audit/outbox.ts";
import { type QueueName, queueOf } from "../../../src/queues/names.ts";
import {
  AADHAAR,
  AADHAAR_INPUT,
  type ClientBundle,
  CONSENT,
  MOBILE_INPUT,
  startClientBundle,
} from "../../support/client.ts";
import type { TestRedis } from "../../support/redis.ts";
import { startWorkerBundle } from "../../support/worker.ts";

const DEEPVUE = queueOf("deepvue");
const EKO = queueOf("eko");
const LEVIN = { customer_id: madeUpMobile(1), aadhaar: AADHAAR, otp_ref_id: "73849201" };
const LEVIN_VERIFY = { customer_id: madeUpMobile(1), otp: "123456", otp_ref_id: "93847201" };
const AEPS = { customer_id: madeUpMobile(1), aadhaar: AADHAAR, latlong: "28.6139,77.2090" };
const ALL = { CONSENT_REQUIRED: "all" };

/** The audit log's entries of a queue that are not yet chained. */
async function entries(redis: TestRedis, queue: QueueName): Promise<Record<string, unknown>[]> {
  const found = await redis.client().xrange(outboxKey(queue), "-", "+");
  return found.map(([, [, text = ""]]) => JSON.parse(text) as Record<string, unknown>);
}

async function refused(bundle: ClientBundle, operation: string, input: unknown): Promise<string> {
  const error = await bundle.client.submitUnchecked(operation, input).then(
    () => new Error("it was not refused"),
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({ code: ErrorCode.BAD_INPUT });
  return (error as Error).message;
}

describe("consent", () => {
  it("is required by Deepvue's operations, and what is missing of it is named", async () => {
    await using bundle = await startClientBundle();
    const { consent: _, ...without } = AADHAAR_INPUT;
    const { purpose, ...noPurpose } = AADHAAR_INPUT;
    const verify = { otp: "123456", reference_id: "29756208", purpose };
    expect(await refused(bundle, "deepvue.aadhaar-otp", without)).toBe("consent: is missing");
    expect(await refused(bundle, "deepvue.aadhaar-otp", noPurpose)).toBe("purpose: is missing");
    expect(await refused(bundle, "deepvue.aadhaar-otp.verify", verify)).toMatch(/^consent: is missing/);
    for (const field of ["reference", "method", "obtained_at"] as const) {
      const { [field]: _without, ...consent } = CONSENT;
      expect(await refused(bundle, "deepvue.aadhaar-otp", { ...AADHAAR_INPUT, consent })).toBe(
        `consent.${field}: is missing`,
      );
    }
    expect(await entries(bundle.redis, DEEPVUE)).toEqual([]);
    expect(await bundle.queued("deepvue")).toEqual([]);
  });

  it.each([
    ["reference", "", "must not be blank or hold control characters"],
    ["reference", "x".repeat(201), "must have at most 200 characters"],
    ["reference", "of 98765 43210", "must not hold anything personal: it is kept in clear"],
    ["reference", "asha@example.in", "must not hold anything personal: it is kept in clear"],
    ["reference", `paper ${AADHAAR}`, "must not hold"],
    ["method", "call to +91-9876543210", "must not hold a mobile or Aadhaar number: it is kept in clear"],
    ["method", "PAN ABCDE1234F shown", "must not hold anything personal: it is kept in clear"],
    ["obtained_at", "2026-01-15T10:00:00", "must be an ISO date-time with an offset"],
    ["obtained_at", "2999-01-15T10:00:00Z", "must not be in the future"],
    ["language", "Hindi, of Bihar", "must be a language tag such as hi or en-IN"],
  ])("is refused with a bad %s", async (field, value, message) => {
    await using bundle = await startClientBundle();
    const consent = { ...CONSENT, [field]: value };
    const problem = await refused(bundle, "deepvue.aadhaar-otp", { ...AADHAAR_INPUT, consent });
    expect(problem).toContain(`consent.${field}: ${message}`);
    if (value.length > 1 && field !== "obtained_at") expect(problem).not.toContain(value);
    expect(await entries(bundle.redis, DEEPVUE)).toEqual([]);
  });

  it.each(["for 98765 43210", `of ${AADHAAR}`, "asha@example.in asked", "ABCDE1234F"])(
    "comes with a purpose without personal data: not %s",
    async (purpose) => {
      await using bundle = await startClientBundle();
      expect(await refused(bundle, "deepvue.aadhaar-otp", { ...AADHAAR_INPUT, purpose })).toMatch(
        /^purpose: must not hold/,
      );
    },
  );

  it("is optional for Eko's Aadhaar operations, and required of all of them with CONSENT_REQUIRED=all", async () => {
    await using free = await startClientBundle();
    await free.client.submit("eko.dmt-levin.aadhaar-otp", LEVIN);
    expect(await entries(free.redis, EKO)).toEqual([]);
    await using bundle = await startClientBundle(ALL);
    const message = "consent: is missing: with CONSENT_REQUIRED=all this call needs one";
    expect(await refused(bundle, "eko.dmt-levin.aadhaar-otp", LEVIN)).toBe(message);
    expect(await refused(bundle, "eko.dmt-levin.aadhaar-otp.verify", LEVIN_VERIFY)).toContain(message);
    expect(await refused(bundle, "eko.aeps-fingpay.ekyc-otp", AEPS)).toContain(message);
    expect(await bundle.queued("eko")).toEqual([]);
    await bundle.client.submit("eko.dmt-levin.aadhaar-otp", { ...LEVIN, consent: CONSENT }, { id: "job-1" });
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    expect(await entries(bundle.redis, EKO)).toMatchObject([{ kind: "consent", job: "job-1" }]);
  });

  it("of a verify is that of its send, and is recorded for the verify, too", async () => {
    await using bundle = await startClientBundle(ALL);
    const input = { ...LEVIN, consent: { ...CONSENT, language: "hi" } };
    await bundle.client.submit("eko.dmt-levin.aadhaar-otp", input, { id: "send-1" });
    await bundle.begin("send-1", "eko");
    await bundle.finish("send-1", "eko", "succeeded", { result: { otp_sent: true, otp_ref_id: "93847201" } });
    await bundle.client.submitUnchecked(
      "eko.dmt-levin.aadhaar-otp.verify",
      { of: "send-1", otp: "123456" },
      { id: "v-1" },
    );
    const consent = { kind: "consent", consent: CONSENT.reference, language: "hi" };
    expect(await entries(bundle.redis, EKO)).toMatchObject([
      { ...consent, job: "send-1" },
      { ...consent, job: "v-1", operation: "eko.dmt-levin.aadhaar-otp.verify" },
    ]);
    const { input: opened } = await bundle.client.reveal("v-1", { reason: "ticket 17" });
    expect(opened?.["consent"]).toEqual(input.consent);
  });

  it("is asked for where the send of a verify has none", async () => {
    await using bundle = await startClientBundle(ALL);
    const before = bundle.newClient({ consentRequired: "deepvue" });
    await before.submit("eko.dmt-levin.aadhaar-otp", LEVIN, { id: "send-1" });
    await bundle.begin("send-1", "eko");
    await bundle.finish("send-1", "eko", "succeeded", { result: { otp_sent: true, otp_ref_id: "93847201" } });
    const verify = { of: "send-1", otp: "123456" };
    expect(await refused(bundle, "eko.dmt-levin.aadhaar-otp.verify", verify)).toContain("consent: is missing");
    await bundle.client.submitUnchecked("eko.dmt-levin.aadhaar-otp.verify", { ...verify, consent: CONSENT });
    expect(await entries(bundle.redis, EKO)).toMatchObject([{ kind: "consent", consent: CONSENT.reference }]);
  });
});

describe("the record of a consent", () => {
  it("is in the audit log as soon as the job is accepted, though no worker runs, and once for all that submit it", async () => {
    await using bundle = await startClientBundle();
    const input = { ...AADHAAR_INPUT, consent: { ...CONSENT, language: "hi-Deva-IN" } };
    const submit = async () => await bundle.newClient().submit("deepvue.aadhaar-otp", input, { id: "order-1" });
    const records = await Promise.all([submit(), submit(), submit()]);
    expect(records.filter(({ duplicate }) => duplicate === true)).toHaveLength(2);
    await submit();
    const [entry, ...more] = await entries(bundle.redis, DEEPVUE);
    expect(more).toEqual([]);
    expect(entry).toEqual({
      ...{ at: expect.any(String) as string, kind: "consent", actor: "library:test" },
      ...{ job: "order-1", operation: "deepvue.aadhaar-otp", subject: expect.stringMatching(/^[\w-]{22}$/) as string },
      ...{
        consent: CONSENT.reference,
        method: CONSENT.method,
        obtained_at: CONSENT.obtained_at,
        language: "hi-Deva-IN",
      },
    });
    expect(JSON.stringify(entry)).not.toContain(AADHAAR);
  });

  it("is written with the job and not without it: a conflict leaves none", async () => {
    await using bundle = await startClientBundle();
    await bundle.client.submit("deepvue.aadhaar-otp", AADHAAR_INPUT, { id: "order-1" });
    const another = { ...AADHAAR_INPUT, aadhaar: madeUpAadhaar(7), consent: { ...CONSENT, reference: "C-2" } };
    const conflict = bundle.client.submit("deepvue.aadhaar-otp", another, { id: "order-1" });
    await expect(conflict).rejects.toMatchObject({ code: ErrorCode.ID_CONFLICT });
    expect((await entries(bundle.redis, DEEPVUE)).map(({ consent }) => consent)).toEqual([CONSENT.reference]);
  });

  it("stands before that of the call that it was given for", async () => {
    await using bundle = await startWorkerBundle();
    const input = { ...AADHAAR_INPUT, aadhaar: madeUpAadhaar(1) };
    const { id } = await bundle.client.submit("deepvue.aadhaar-otp", input);
    expect(await entries(bundle.redis, DEEPVUE)).toMatchObject([{ kind: "consent", job: id }]);
    expect(bundle.simulator.requests).toEqual([]);
    await bundle.startWorker();
    await bundle.client.waitFor(id);
    const log = async (): Promise<string> => {
      const batches = await bundle.redis.client().xrange("satyapan:{audit}:log", "-", "+");
      return batches.flatMap(([, fields]) => fields[1] ?? "").join("\n");
    };
    await expect.poll(log).toMatch(/"kind":"call"/);
    const kinds = Array.from((await log()).matchAll(/"kind":"(consent|call)"/g), ([, kind]) => kind);
    expect(kinds).toEqual(["consent", "call"]);
    expect(await log()).toMatch(/"kind":"call".*"consent":"C-1"/);
  });
});
