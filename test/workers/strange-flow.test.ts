import { describe, expect, it } from "vitest";
import { onboardingFindings } from "../../producers/doctor/onboarding-findings.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { onboardingKey, onboardingsDueKey } from "../../src/flows/onboarding-store.ts";
import { queueOf } from "../../src/queues/names.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

const QUEUE = queueOf("eko");

/** Someone who is asked for a code, by a flow that only another version knows from then on. */
async function begun({ client, redis }: WorkerBundle, id: string, nth: number): Promise<void> {
  await client.onboard("eko.mobile", { mobile: madeUpMobile(nth), csp_id: "agent-1" }, { id });
  await client.onboardings.waitUntil(id, ({ state }) => state === "awaiting_otp");
  const key = onboardingKey(QUEUE, id);
  const terms = (await redis.client().hget(key, "terms")) ?? "";
  await redis.client().hset(key, "terms", terms.replace("eko.mobile", "eko.next"));
}

describe("an onboarding of a flow that this version does not know", () => {
  it("stands still without holding up others, is named to those on call, and can be cancelled", async () => {
    await using bundle = await startWorkerBundle();
    const { client, redis, log } = bundle;
    await bundle.startWorker();
    await begun(bundle, "strange", 1);
    await client.onboard("eko.mobile", { mobile: madeUpMobile(2), csp_id: "agent-1" }, { id: "other" });
    await client.onboardings.waitUntil("other", ({ state }) => state === "awaiting_otp");
    const due = async (id: string): Promise<number> =>
      Number(await redis.client().zscore(onboardingsDueKey(QUEUE), id)) || Infinity;
    for (const id of ["strange", "other"]) await redis.client().zadd(onboardingsDueKey(QUEUE), 1_000, id);
    await expect.poll(() => due("other")).toBeGreaterThan(Date.now());
    expect(await due("strange")).toBe(1_000);
    const said = log.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(said.filter(({ msg }) => msg === "onboardings were not looked at")).toMatchObject([
      { queue: QUEUE, onboarding: "strange", err: { code: "unknown-flow" } },
    ]);
    const now = 1_000 + 180_000;
    const found = await onboardingFindings(redis.client(), { now, workers: 1 });
    expect(found).toMatchObject([{ check: "eko onboardings", status: "warning" }]);
    expect(found[0]?.detail).toMatch(/^strange should have been taken on 3m ago: see `satyapan onboard show strange`/);
    expect(await onboardingFindings(redis.client(), { now: 1_000 + 60_000, workers: 1 })).toEqual([]);
    expect(await onboardingFindings(redis.client(), { now, workers: 0 })).toEqual([]);
    expect(await client.onboardings.cancel("strange", { reason: "it cannot go on" })).toMatchObject({
      ...{ state: "cancelled", reason: "it cannot go on" },
    });
    expect(await due("strange")).toBe(Infinity);
  });

  it("holds up nobody, either, together with more of them than are looked at in one go, or in all goes of a look", async () => {
    await using bundle = await startWorkerBundle();
    const { client, redis } = bundle;
    await bundle.startWorker();
    await begun(bundle, "strange", 1);
    await client.onboard("eko.mobile", { mobile: madeUpMobile(2), csp_id: "agent-1" }, { id: "other" });
    await client.onboardings.waitUntil("other", ({ state }) => state === "awaiting_otp");
    const dues = onboardingsDueKey(QUEUE);
    const more = redis.client().pipeline();
    for (let n = 0; n < 4_020; n += 1) {
      more.copy(onboardingKey(QUEUE, "strange"), onboardingKey(QUEUE, `like-${n}`)).zadd(dues, 1_000, `like-${n}`);
    }
    await more.exec();
    await redis.client().zadd(dues, 2_000, "other");
    const due = async (): Promise<number> => Number(await redis.client().zscore(dues, "other"));
    await expect.poll(due).toBeGreaterThan(Date.now());
    const stays = await redis.client().zcount(dues, "-inf", 1_000);
    expect(stays).toBeGreaterThanOrEqual(4_020);
  });
});
