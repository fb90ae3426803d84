import { describe, expect, it } from "vitest";
import type { Client } from "../../producers/client.ts";
import { ErrorCode } from "../../src/base/error.ts";
import { MOBILE_INPUT, startClientBundle } from "../support/client.ts";
import { Lived } from "../support/lived.ts";
import { madeUpMobile } from "../../simulator/people.ts";

/** What it guards against takes seconds. */
const SOON_MS = 500;

async function failure(work: Promise<unknown>): Promise<{ error: unknown; ms: number }> {
  using lived = new Lived();
  const error: unknown = await work.then(
    () => "it went well",
    (cause: unknown) => cause,
  );
  return { error, ms: lived.ms };
}

const unreachable = { name: "SatyapanError", code: ErrorCode.REDIS_UNREACHABLE };

const CALLS: Readonly<Record<string, (client: Client) => Promise<unknown>>> = {
  submit: async (client) => await client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "order-1" }),
  "submit with `of`": async (client) => await client.submit("eko.mobile-otp.verify", { of: "sent", otp: "1234" }),
  submitMany: async (client) =>
    await client.submitMany("eko.mobile-otp", [MOBILE_INPUT, { ...MOBILE_INPUT, mobile: madeUpMobile(1) }]),
  get: async (client) => await client.get("order-1"),
  getMany: async (client) => await client.getMany(["order-1"]),
  waitFor: async (client) => await client.waitFor("order-1"),
};

describe("a client whose Redis is away", () => {
  it("fails at once in every call, says where it looked, and is well again with Redis", async () => {
    await using bundle = await startClientBundle();
    const { client } = bundle;
    const kept = await client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "order-1" });
    await bundle.redis.kill9();
    for (const [call, make] of Object.entries(CALLS)) {
      const { error, ms } = await failure(make(client));
      expect(error, call).toMatchObject({ ...unreachable, message: expect.stringContaining("Redis") as string });
      expect((error as Error).message, call).not.toContain("\n");
      expect(ms, call).toBeLessThan(SOON_MS);
    }
    await bundle.redis.restart();
    await expect.poll(async () => await client.get("order-1").catch(() => null)).toEqual(kept);
    const again = await client.submit("eko.mobile-otp", MOBILE_INPUT, { id: "order-1" });
    expect(again).toEqual({ ...kept, duplicate: true });
    const next = await client.submit("eko.mobile-otp", MOBILE_INPUT);
    expect(await bundle.queued("eko")).toEqual([kept.id, next.id]);
  });

  it("can be made and used before there is a Redis", async () => {
    await using bundle = await startClientBundle();
    await bundle.redis.kill9();
    const { error, ms } = await failure(bundle.client.submit("eko.mobile-otp", MOBILE_INPUT));
    expect(error).toMatchObject(unreachable);
    expect(ms).toBeLessThan(SOON_MS);
    await bundle.redis.restart();
    await expect.poll(async () => await bundle.client.get("nobody").catch(() => "away")).toBeNull();
  });

  it("closes all the same", async () => {
    await using bundle = await startClientBundle();
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    await bundle.redis.kill9();
    const { error, ms } = await failure(bundle.client.close());
    expect(error).toBe("it went well");
    expect(ms).toBeLessThan(2_000);
  });

  it("says so when it goes away in the middle, and the same ids submitted again complete what was begun", async () => {
    await using bundle = await startClientBundle();
    const { client } = bundle;
    const inputs = Array.from({ length: 3_000 }, (_, index) => ({ mobile: madeUpMobile(index), csp_id: "agent-1" }));
    const killed: Promise<void>[] = [];
    const { error } = await failure(
      client.submitMany("eko.mobile-otp", inputs, {
        id: "b",
        onAccepted: () => {
          if (killed.length === 0) killed.push(bundle.redis.kill9());
        },
      }),
    );
    await Promise.all(killed);
    expect(error).toMatchObject({
      ...unreachable,
      message: expect.stringMatching(/^at least \d+00 of 3000 jobs were accepted, then: /) as string,
    });
    await bundle.redis.restart();
    await expect.poll(async () => await client.get("b-1").catch(() => null)).toMatchObject({ id: "b-1" });
    const records = await client.submitMany("eko.mobile-otp", inputs, { id: "b" });
    expect(records.filter(({ duplicate }) => duplicate === true).length).toBeGreaterThanOrEqual(500);
    expect(new Set(await bundle.queued("eko")).size).toBe(3_000);
  });
});

describe("a client whose Redis refuses to write", () => {
  it("says why, without Redis' own words", async () => {
    await using bundle = await startClientBundle();
    const admin = bundle.redis.client();
    await admin.config("SET", "maxmemory", "1");
    const { error } = await failure(bundle.client.submit("eko.mobile-otp", MOBILE_INPUT));
    expect(error).toMatchObject({
      code: ErrorCode.REDIS_UNSUITABLE,
      message: "Redis refused a command (OOM): its memory is full: raise maxmemory",
    });
    await admin.config("SET", "maxmemory", "0");
    await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
  });
});
