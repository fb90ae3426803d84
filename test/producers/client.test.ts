import { tmpdir } from "node:os";
import { describe, expect, it } from "vitest";
import { Client } from "../../producers/client.ts";
import { ErrorCode } from "../../src/base/error.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import { Secret } from "../../src/secrets/secret.ts";
import type { TerminalState } from "../../src/outcomes/state.ts";
import { openInput } from "../../src/records/sealed-input.ts";
import { unpackJob } from "../../src/records/stored-job.ts";
import { AADHAAR, AADHAAR_INPUT, CONSENT, MOBILE, MOBILE_INPUT, startClientBundle } from "../support/client.ts";
import { everythingIn, keysIn } from "../support/redis-content.ts";

const OTHER = { ...MOBILE_INPUT, mobile: "9123456781" };

describe("submit", () => {
  it("gives a record of exactly the documented shape, and the one that is read back is the same", async () => {
    await using bundle = await startClientBundle();
    const before = Date.now();
    const record = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    expect(record).toEqual({
      id: expect.stringMatching(/^[0-9a-z]{18}$/) as string,
      operation: "eko.mobile-otp",
      lane: "interactive",
      state: "queued",
      outcome: null,
      attempts: [],
      next_attempt_at: null,
      reason: null,
      result: null,
      expires_at: null,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string,
      updated_at: record.created_at,
    });
    expect(Date.parse(record.created_at)).toBeGreaterThanOrEqual(before);
    expect(await bundle.client.get(record.id)).toEqual(record);
    expect(await bundle.queued("eko")).toEqual([record.id]);
  });

  it("puts bulk jobs behind interactive ones", async () => {
    await using bundle = await startClientBundle();
    const bulk = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { lane: "bulk" });
    const urgent = await bundle.client.submit("eko.mobile-otp", OTHER);
    expect(bulk.lane).toBe("bulk");
    expect(await bundle.queued("eko")).toEqual([urgent.id, bulk.id]);
  });

  it("gives the first job back for the same id, whatever state it is in, and queues nothing again", async () => {
    await using bundle = await startClientBundle();
    const settle = async (id: string, state: TerminalState): Promise<void> => {
      await bundle.begin(id, "deepvue");
      await bundle.finish(id, "deepvue", state, { result: { reference_id: "29756208" } });
    };
    const states = {
      queued: async () => {},
      active: async (id: string) => await bundle.begin(id, "deepvue"),
      waiting: async (id: string) => {
        await bundle.begin(id, "deepvue");
        await bundle.finish(id, "deepvue", "waiting");
      },
      succeeded: async (id: string) => await settle(id, "succeeded"),
      rejected: async (id: string) => await settle(id, "rejected"),
      failed: async (id: string) => await settle(id, "failed"),
      unknown: async (id: string) => await settle(id, "unknown"),
    };
    for (const [state, reach] of Object.entries(states)) {
      const id = `order-${state}`;
      const first = await bundle.client.submit("deepvue.aadhaar-otp", AADHAAR_INPUT, { id });
      expect(first).not.toHaveProperty("duplicate");
      await reach(id);
      const stored = await bundle.client.get(id);
      expect(stored?.state).toBe(state);
      const again = await bundle.client.submit("deepvue.aadhaar-otp", AADHAAR_INPUT, { id });
      expect(again).toEqual({ ...stored, duplicate: true });
    }
    expect(await bundle.queued("deepvue")).toHaveLength(Object.keys(states).length);
  });

  it("refuses an id that names a job with another input or operation, of whichever provider", async () => {
    await using bundle = await startClientBundle();
    const first = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "order-1" });
    const stored = async () => await bundle.records.fields("{eko-0}", "order-1");
    const [before, keys] = [await stored(), await keysIn(bundle.redis)];
    const others = [
      ["eko.mobile-otp", OTHER],
      ["eko.dmt-levin.sender", { customer_id: MOBILE }],
      ["deepvue.aadhaar-otp", AADHAAR_INPUT],
    ] as const;
    for (const [operation, input] of others) {
      const conflict = bundle.client.submitUnchecked(operation, input, { id: "order-1" });
      await expect(conflict).rejects.toMatchObject({
        code: ErrorCode.ID_CONFLICT,
        message: "id: order-1 names a job with another operation or input; choose another id",
      });
    }
    expect(await bundle.client.get("order-1")).toEqual(first);
    expect([await stored(), await keysIn(bundle.redis)]).toEqual([before, keys]);
  });

  it("refuses the id of the other provider's job even when the claim on the id has run out", async () => {
    await using bundle = await startClientBundle();
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "order-1" });
    await bundle.redis.client().del("satyapan:{order-1}:claim");
    const conflict = bundle.client.submit("deepvue.aadhaar-otp", AADHAAR_INPUT, { id: "order-1" });
    await expect(conflict).rejects.toMatchObject({ code: ErrorCode.ID_CONFLICT });
  });

  it("makes one job of the same id that two processes submit at the same instant", async () => {
    await using bundle = await startClientBundle();
    const other = bundle.newClient();
    for (let round = 0; round < 20; round++) {
      const id = `order-${round}`;
      const records = await Promise.all(
        [bundle.client, other].map(async (client) => await client.submit("eko.mobile-otp", MOBILE_INPUT, { id })),
      );
      expect(records.filter(({ duplicate }) => duplicate === true)).toHaveLength(1);
    }
    expect(await bundle.queued("eko")).toHaveLength(20);
  });

  it("lets one of two different jobs win an id that they are given at the same instant", async () => {
    await using bundle = await startClientBundle();
    const other = bundle.newClient();
    for (let round = 0; round < 20; round++) {
      const id = `order-${round}`;
      const rivals = await Promise.allSettled([
        bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id }),
        other.submit("deepvue.aadhaar-otp", AADHAAR_INPUT, { id }),
      ]);
      const losers = rivals.filter((rival) => rival.status === "rejected");
      expect(losers).toMatchObject([{ reason: { code: ErrorCode.ID_CONFLICT } }]);
    }
    expect([...(await bundle.queued("eko")), ...(await bundle.queued("deepvue"))]).toHaveLength(20);
  });

  it("queues a job whose producer died between recording and queueing it, when it is submitted again", async () => {
    await using bundle = await startClientBundle();
    await bundle.recordOnly("order-1", "eko.mobile-otp", MOBILE_INPUT);
    expect(await bundle.queued("eko")).toEqual([]);
    const again = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "order-1" });
    expect(again).toMatchObject({ state: "queued", duplicate: true });
    expect(await bundle.queued("eko")).toEqual(["order-1"]);
  });

  it.each([
    ["the person's number of the input", MOBILE_INPUT, `order-${MOBILE}`, "id: holds a personal value of the input"],
    ["any Aadhaar number", MOBILE_INPUT, `order-${AADHAAR}`, "id: holds what looks like an Aadhaar number"],
    ["a sign that is not allowed", MOBILE_INPUT, "order 1", "id: 1 to 64 characters"],
    ["nothing", MOBILE_INPUT, "", "id: 1 to 64 characters"],
    ["too much", MOBILE_INPUT, "x".repeat(65), "id: 1 to 64 characters"],
  ])("refuses an own id that holds %s", async (_what, input, id, message) => {
    await using bundle = await startClientBundle();
    const refusal = await bundle.client.submit("eko.mobile-otp", input, { id }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: ErrorCode.BAD_INPUT, message: expect.stringContaining(message) as string });
    expect(String(refusal)).not.toMatch(/\d{10}/);
    expect(await keysIn(bundle.redis)).toEqual([]);
  });

  it("takes a deadline as text or as milliseconds", async () => {
    await using bundle = await startClientBundle();
    for (const expiresIn of ["10m", 600_000]) {
      const record = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { expiresIn });
      const { expires_at, created_at } = record;
      const left = Date.parse(expires_at ?? "") - Date.parse(created_at);
      expect(left, String(expiresIn)).toBeGreaterThan(599_000);
      expect(left, String(expiresIn)).toBeLessThanOrEqual(600_000);
      expect(await bundle.client.get(record.id)).toEqual(record);
    }
  });

  it("tells what is wrong with an input before it asks for a Redis", async () => {
    await using bundle = await startClientBundle();
    const openRedis = () => Promise.reject(new Error("Redis was asked for"));
    await using client = new Client({
      tmpDir: tmpdir(),
      settings: bundle.settings,
      openRedis,
      actor: "library:test",
      now: Date.now,
    });
    const code = (refusal: Promise<unknown>) => expect(refusal).rejects.toHaveProperty("code");
    await code(client.submitUnchecked("eko.mobil-otp", MOBILE_INPUT));
    await code(client.submitUnchecked("eko.mobile-otp", { ...MOBILE_INPUT, extra: 1 }));
    await code(client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "order 1" }));
    await code(client.submit("eko.mobile-otp", MOBILE_INPUT, { expiresIn: 0 }));
    await code(client.submitMany("eko.mobile-otp", [MOBILE_INPUT, { ...MOBILE_INPUT, mobile: "1" }]));
    await expect(client.submit("eko.mobile-otp", MOBILE_INPUT)).rejects.toThrow("Redis was asked for");
  });

  it("leaves no number, code or reference of a person in Redis, neither in the record nor with BullMQ", async () => {
    await using bundle = await startClientBundle();
    const secrets = { otp: "730915", reference: "ref-29756208-ref", agent: "agent-no-7" };
    await bundle.client.submit("eko.mobile-otp", { mobile: MOBILE, csp_id: secrets.agent }, { id: "order-1" });
    await bundle.client.submit("deepvue.aadhaar-otp", AADHAAR_INPUT);
    const verify = { otp: secrets.otp, reference_id: secrets.reference, purpose: "ForKYC", consent: CONSENT };
    await bundle.client.submitMany("deepvue.aadhaar-otp.verify", [verify]);
    const found = await everythingIn(bundle.redis);
    expect(found).toContain("order-1"); // it looks where things are
    expect(found).toContain("Sender onboarding");
    expect([MOBILE, AADHAAR, ...Object.values(secrets)].filter((secret) => found.includes(secret))).toEqual([]);
    const bullmqJob = await bundle.redis.client().hgetall("bull:{eko-0}:j-order-1");
    expect(bullmqJob).toMatchObject({ name: "call", data: "{}" });
  });
});

describe("a verify that names its send with `of`", () => {
  it("is given back as a duplicate also when its send's input is no longer kept; another one is refused", async () => {
    await using bundle = await startClientBundle();
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "sent" });
    await bundle.begin("sent", "eko");
    await bundle.finish("sent", "eko", "succeeded");
    const first = await bundle.client.submit("eko.mobile-otp.verify", { of: "sent", otp: "0123" }, { id: "mine" });
    await bundle.redis.client().hdel("satyapan:{eko-0}:job:sent", "input");
    const again = await bundle.client.submit("eko.mobile-otp.verify", { of: "sent", otp: "0123" }, { id: "mine" });
    expect(again).toEqual({ ...first, duplicate: true });
    const rows = await bundle.client
      .submitMany("eko.mobile-otp.verify", [{ of: "sent", otp: "0123" }], { id: "mine" })
      .then(
        () => "accepted",
        (error: unknown) => String(error),
      );
    expect(rows).toContain("its OTP can no longer be answered");
    const other = bundle.client.submit("eko.mobile-otp.verify", { of: "sent", otp: "0123" }, { id: "other" });
    await expect(other).rejects.toThrow("of: its OTP can no longer be answered");
  });

  it("or brings its own references dies with its OTP: ten minutes from now at the latest", async () => {
    await using bundle = await startClientBundle();
    const before = Date.now();
    const input = { mobile: MOBILE, client_ref_id: "ours-1", otp: "0123" };
    const { expires_at } = await bundle.client.submit("eko.mobile-otp.verify", input);
    expect(Date.parse(expires_at ?? "")).toBeGreaterThanOrEqual(before + 600_000);
    expect(Date.parse(expires_at ?? "")).toBeLessThanOrEqual(Date.now() + 600_000);
  });

  it("takes what the send's own input, result and attempt have", async () => {
    await using bundle = await startClientBundle();
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "sent" });
    await bundle.begin("sent", "eko", "ref-of-the-send");
    await bundle.finish("sent", "eko", "succeeded");
    const { id } = await bundle.client.submit("eko.mobile-otp.verify", { of: "sent", otp: "0123" });
    const fields = (await bundle.records.fields("{eko-0}", id)) ?? {};
    expect(unpackJob(fields["job"] ?? "")).toMatchObject({ reference: { fixed: "ref-of-the-send" }, of: "sent" });
    const operation = findOperation("eko.mobile-otp.verify");
    const sealed = fields["input"] ?? "";
    const input = openInput(await bundle.dataKeys.opener([sealed]), operation, id, sealed);
    expect(opened(input)).toEqual({ mobile: MOBILE, otp: "0123", client_ref_id: "ref-of-the-send" });
  });

  it("takes the provider's reference, purpose and consent, and what is given itself wins", async () => {
    await using bundle = await startClientBundle();
    await bundle.client.submit("deepvue.aadhaar-otp", AADHAAR_INPUT, { id: "sent" });
    await bundle.begin("sent", "deepvue");
    await bundle.finish("sent", "deepvue", "succeeded", { result: { reference_id: "29756208" } });
    const input = { of: "sent", otp: "012345", purpose: "Second look" };
    const { id } = await bundle.client.submit("deepvue.aadhaar-otp.verify", input);
    const fields = (await bundle.records.fields("{deepvue-0}", id)) ?? {};
    const operation = findOperation("deepvue.aadhaar-otp.verify");
    const sealed = fields["input"] ?? "";
    expect(opened(openInput(await bundle.dataKeys.opener([sealed]), operation, id, sealed))).toEqual({
      otp: "012345",
      reference_id: "29756208",
      purpose: "Second look",
      consent: CONSENT,
    });
  });

  it.each([
    ["nothing", { otp_sent: true }],
    ["no time", { otp_sent: true, otp_valid_until: "soon" }],
  ])("dies ten minutes after a send whose provider says %s of how long its OTP is good", async (_what, result) => {
    await using bundle = await startClientBundle();
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "sent" });
    await bundle.begin("sent", "eko");
    const at = Date.now() - 60_000;
    await bundle.finish("sent", "eko", "succeeded", { result, at });
    const verify = await bundle.client.submit("eko.mobile-otp.verify", { of: "sent", otp: "0123" });
    expect(verify.expires_at).toBe(new Date(at + 600_000).toISOString());
  });

  it("takes the attempt that was in doubt of a send that somebody settled as succeeded", async () => {
    await using bundle = await startClientBundle();
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "sent" });
    await bundle.begin("sent", "eko", "ref-waited");
    await bundle.finish("sent", "eko", "waiting");
    await bundle.redis.client().hset("satyapan:{eko-0}:job:sent", "next", 1);
    await bundle.begin("sent", "eko", "ref-in-doubt");
    const at = Date.now() - 60_000;
    await bundle.finish("sent", "eko", "unknown", { at });
    const verify = { of: "sent", otp: "0123" };
    await expect(bundle.client.submit("eko.mobile-otp.verify", verify)).rejects.toThrow(
      "of: that job has not sent an OTP: it is unknown",
    );
    await bundle.client.settle("sent", "succeeded", { reason: "the person has the code" });
    const { id, expires_at } = await bundle.client.submit("eko.mobile-otp.verify", verify);
    expect(expires_at).toBe(new Date(at + 600_000).toISOString());
    const fields = (await bundle.records.fields("{eko-0}", id)) ?? {};
    expect(unpackJob(fields["job"] ?? "")).toMatchObject({ reference: { fixed: "ref-in-doubt" }, of: "sent" });
  });

  it("is refused when there is no such job, when it is another operation's, and when it has sent nothing", async () => {
    await using bundle = await startClientBundle();
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "sent" });
    const refusal = async (operation: string, of: string): Promise<string> => {
      const error = await bundle.client
        .submitUnchecked(operation, { of, otp: "012345" })
        .catch((cause: unknown) => cause);
      expect(error).toMatchObject({ code: ErrorCode.BAD_INPUT });
      return (error as Error).message;
    };
    expect(await refusal("eko.mobile-otp.verify", "nobody")).toBe(
      "of: there is no such job, or its record is past its retention",
    );
    expect(await refusal("deepvue.aadhaar-otp.verify", "sent")).toBe(
      "of: must name a job of deepvue.aadhaar-otp, and that one is of eko.mobile-otp",
    );
    expect(await refusal("eko.mobile-otp.verify", "sent")).toBe(
      "of: that job has not sent an OTP: it is queued; wait until it has",
    );
    await bundle.begin("sent", "eko");
    await bundle.finish("sent", "eko", "rejected");
    expect(await refusal("eko.mobile-otp.verify", "sent")).toBe(
      "of: that job has not sent an OTP: it is rejected; submit a new send, and name that",
    );
    expect(await bundle.queued("eko")).toEqual(["sent"]);
  });

  function opened(input: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(input).map(([field, value]) => [field, value instanceof Secret ? value.open() : value]),
    );
  }
});

describe("getMany", () => {
  it("finds jobs of both providers, in order, and null for what is not there", async () => {
    await using bundle = await startClientBundle();
    const { client } = bundle;
    await client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "a" });
    await client.submit("deepvue.aadhaar-otp", AADHAAR_INPUT, { id: "b" });
    const found = await client.getMany(["b", "nobody", "a"]);
    expect(found.map((record) => record?.id ?? null)).toEqual(["b", null, "a"]);
    expect(await client.get("nobody")).toBeNull();
    expect(await client.getMany([])).toEqual([]);
  });
});

describe("close", () => {
  it("may be called twice, also before anything was done, and ends all use", async () => {
    await using bundle = await startClientBundle();
    const unused = bundle.newClient();
    await unused.close();
    await unused.close();
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    await Promise.all([bundle.client.close(), bundle.client.close()]);
    const closed = { code: ErrorCode.CLOSED, message: expect.stringContaining("create a new one") as string };
    await expect(bundle.client.submit("eko.mobile-otp", MOBILE_INPUT)).rejects.toMatchObject(closed);
    await expect(bundle.client.get("a")).rejects.toMatchObject(closed);
    await expect(unused.waitFor("a")).rejects.toMatchObject(closed);
  });

  it("leaves no connection behind", async () => {
    await using bundle = await startClientBundle();
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    await bundle.client.close();
    const names = String(await bundle.redis.client().call("CLIENT", "LIST"));
    expect(names).not.toContain("name=satyapan-client");
  });
});
