import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type NewOnboarding, onboardingKey, OnboardingStore } from "../../../src/flows/onboarding-store.ts";
import { queueOf } from "../../../src/queues/names.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { sentTwice } from "../../support/sent-twice.ts";

const QUEUE = queueOf("eko");
const RETENTION = { recordMs: 60_000, resultMs: 30_000 };
const T0 = 1_800_000_000_000;

let redis: TestRedis;
beforeAll(async () => (redis = await startTestRedis()));
afterAll(async () => await redis.stop());

function onboarding(id: string): NewOnboarding {
  return {
    ...{ id, flow: "eko.mobile", lane: "interactive", createdAt: T0, expiresAt: null, subjects: ["0123456789abcdef"] },
    ...{ step: "send", job: `${id}-send`, parent: null, input: `sealed-${id}`, digest: "digest" },
  };
}

describe("a step of an onboarding that is sent again, because its answer was cut off", () => {
  it("begins it, and is no duplicate of itself", async () => {
    const begin = sentTwice(redis, /sealed-on-1/, async (client) => {
      return await new OnboardingStore(client, RETENTION).begin(QUEUE, onboarding("on-1"));
    });
    expect(await begin).toBe("created");
    const store = new OnboardingStore(redis.client(), RETENTION);
    expect(await store.begin(QUEUE, { ...onboarding("on-1"), input: "sealed again" })).toBe("duplicate");
  });

  it("moves it, so that whoever did is the one that tells of it", async () => {
    const store = new OnboardingStore(redis.client(), RETENTION);
    await store.begin(QUEUE, onboarding("on-2"));
    const from = await store.get(QUEUE, "on-2");
    if (from === null) throw new Error("it was not begun");
    const to = { ...from, state: "failed", reason: "given up", lookAt: 0 } as const;
    const move = sentTwice(redis, /given up/, async (client) => {
      return await new OnboardingStore(client, RETENTION).move(QUEUE, from, to, T0);
    });
    expect(await move).toBe("done");
    expect(await store.move(QUEUE, from, to, T0)).toBe("moved");
    expect(await redis.client().hget(onboardingKey(QUEUE, "on-2"), "state")).toBe("failed");
  });
});
