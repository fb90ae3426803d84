import { describe, expect, it } from "vitest";
import type { ConfigurationPatch } from "../../simulator/configuration.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { samplesOf } from "../support/exposition.ts";
import { startWorkerBundle } from "../support/worker.ts";

const SEND = "eko.mobile-otp";

async function startBundle(simulator: ConfigurationPatch = {}) {
  const bundle = await startWorkerBundle({ simulator, env: { OTP_COOLDOWN: "1s", EKO_QUOTA: "100/1s" } });
  const { metricsPort } = await bundle.startWorker();
  const scrape = async (): Promise<Map<string, number>> =>
    samplesOf(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text());
  const events = async (): Promise<Record<string, number>> => {
    const found = [...(await scrape())].flatMap(([name, count]) => {
      const event = new RegExp(`^satyapan_challenges_total\\{operation="${SEND}",event="(\\w+)"`).exec(name)?.[1];
      return event === undefined ? [] : [[event, count] as const];
    });
    return Object.fromEntries(found);
  };
  const open = async (left: string): Promise<number | undefined> =>
    (await scrape()).get(`satyapan_challenges_open{queue="{eko-0}",left="${left}"}`);
  return { ...bundle, scrape, events, open, [Symbol.asyncDispose]: async () => await bundle[Symbol.asyncDispose]() };
}

describe("the metrics of a worker", () => {
  it("count an OTP that nobody answers in time as expired, once", async () => {
    await using bundle = await startBundle({ otpTtlMs: 1_500 });
    const { client, events } = bundle;
    await client.waitFor((await client.submit(SEND, { mobile: madeUpMobile(9), csp_id: "agent1" })).id);
    expect(await events()).toMatchObject({ sent: 1, expired: 0 });
    await expect.poll(async () => (await events())["expired"]).toBe(1);
    expect(await events()).toMatchObject({ sent: 1, answered: 0, expired: 1 });
  });

  it("count an OTP for which only wrong codes came as spent, once, and not as one that nobody answered", async () => {
    await using bundle = await startBundle({ otpTtlMs: 4_000 });
    const { client, events } = bundle;
    const { id } = await client.submit(SEND, { mobile: madeUpMobile(8), csp_id: "agent1" });
    await client.waitFor(id);
    const { verify } = await client.answer(id, "000000");
    await client.waitFor(verify ?? "");
    await expect.poll(async () => (await events())["spent"]).toBe(1);
    expect(await events()).toMatchObject({ sent: 1, answered: 1, wrong: 1, spent: 1, expired: 0 });
  });

  it("follow an OTP from when it is sent, over a wrong code and another OTP, to the person who is verified", async () => {
    await using bundle = await startBundle();
    const { client, simulator, events, open } = bundle;
    expect(await events()).toEqual({
      sent: 0,
      resent: 0,
      answered: 0,
      verified: 0,
      wrong: 0,
      rejected: 0,
      spent: 0,
      expired: 0,
    });
    const mobile = madeUpMobile(1);
    const { id } = await client.submit(SEND, { mobile, csp_id: "agent1" });
    await client.waitFor(id);
    expect(await events()).toMatchObject({ sent: 1, resent: 0, answered: 0 });
    expect([await open("1m"), await open("10m"), await open("longer")]).toEqual([0, 1, 0]);
    const { verify } = await client.answer(id, "000000");
    await client.waitFor(verify ?? "");
    expect(await events()).toMatchObject({ sent: 1, answered: 1, wrong: 1, verified: 0 });
    expect(await open("10m")).toBe(1);
    await expect
      .poll(
        async () =>
          await client.resend(id).then(
            () => true,
            () => false,
          ),
      )
      .toBe(true);
    await client.waitFor(`${id}-s2`);
    expect(await events()).toMatchObject({ sent: 2, resent: 1 });
    expect(await open("10m")).toBe(1);
    const last = await client.answer(id, (await simulator.waitForOtp(mobile)).otp);
    await client.waitFor(last.verify ?? "");
    expect(await events()).toMatchObject({ sent: 2, resent: 1, answered: 2, wrong: 1, verified: 1 });
    expect(await open("10m")).toBe(0);
  });

  it("say how many onboardings stand where, how long none has moved, and how they end", async () => {
    await using bundle = await startBundle();
    const { client, simulator, scrape } = bundle;
    const mobile = madeUpMobile(2);
    const gauge = (state: string): string => `satyapan_onboardings_open{flow="eko.mobile",state="${state}"}`;
    const ended = (state: string): string => `satyapan_onboardings_ended_total{flow="eko.mobile",state="${state}"}`;
    const before = await scrape();
    expect([before.get(gauge("running")), before.get(ended("succeeded")), before.get(ended("expired"))]).toEqual([
      0, 0, 0,
    ]);
    await client.onboard("eko.mobile", { mobile, csp_id: "agent1" }, { id: "asha" });
    await client.onboardings.waitUntil("asha", ({ state }) => state === "awaiting_otp", { timeoutMs: 10_000 });
    const waiting = await scrape();
    expect([waiting.get(gauge("running")), waiting.get(gauge("awaiting_otp"))]).toEqual([0, 1]);
    expect(waiting.get('satyapan_onboarding_lag_seconds{queue="{eko-0}"}')).toBe(0);
    await client.answer("asha", (await simulator.waitForOtp(mobile)).otp);
    await client.onboardings.waitFor("asha", { timeoutMs: 60_000 });
    const after = await scrape();
    expect([after.get(gauge("awaiting_otp")), after.get(ended("succeeded")), after.get(ended("expired"))]).toEqual([
      0, 1, 0,
    ]);
  });

  it("tell of an onboarding that does not move, and of one that nobody looks at", async () => {
    await using bundle = await startBundle();
    const { client, redis, scrape } = bundle;
    await client.gates.setQuota("eko", "0");
    await client.onboard("eko.mobile", { mobile: madeUpMobile(3), csp_id: "agent1" }, { id: "ravi" });
    const key = "satyapan:{eko-0}:onboarding:ravi";
    await redis.client().hset(key, "updated", Date.now() - 700_000);
    const unmoved = (await scrape()).get('satyapan_onboarding_unmoved_seconds{queue="{eko-0}",lane="interactive"}');
    expect(unmoved).toBeGreaterThanOrEqual(700);
    expect(unmoved).toBeLessThan(760);
  });

  it("count the rows of open batches by state, and those that were handed over", async () => {
    await using bundle = await startBundle();
    const { client, scrape } = bundle;
    const batches = new BatchBundle(bundle.redis, bundle.settings);
    const { id } = await batches.submit(batches.rows(30, (row) => madeUpMobile(row, "000")));
    await client.batches.pause(id, "a test");
    const rows = async (): Promise<number> => {
      const samples = [...(await scrape())].filter(([name]) => name.startsWith('satyapan_batch_rows{queue="{eko-0}"'));
      return samples.reduce((sum, [, count]) => sum + count, 0);
    };
    expect(await rows()).toBe(30);
    const open = 'satyapan_batches_open{queue="{eko-0}",state="paused"}';
    expect((await scrape()).get(open)).toBe(1);
    await client.batches.resume(id);
    await batches.ended(id);
    const after = await scrape();
    expect(await rows()).toBe(0);
    expect(after.get(open)).toBe(0);
    expect(after.get('satyapan_batch_rows_fed_total{queue="{eko-0}"}')).toBeGreaterThanOrEqual(30);
    expect(after.get('satyapan_feeder_lag_seconds{queue="{eko-0}"}')).toBeLessThan(10);
  });

  it("say which version runs, that one worker has the duty, and how long the key is still to wrap", async () => {
    await using bundle = await startBundle();
    const other = await bundle.startWorker();
    const samples = await bundle.scrape();
    const second = samplesOf(await (await fetch(`http://127.0.0.1:${other.metricsPort}/metrics`)).text());
    expect([...samples].filter(([name]) => name.startsWith("satyapan_build_info"))).toEqual([
      [`satyapan_build_info{version="0.1.0",node="${process.versions.node}"}`, 1],
    ]);
    expect([samples.get("satyapan_duty_held"), second.get("satyapan_duty_held")]).toEqual([1, 0]);
    expect(second.has('satyapan_feeder_lag_seconds{queue="{eko-0}"}')).toBe(false);
    const year = 365 * 86_400;
    for (const left of [samples, second].map((page) => page.get("satyapan_key_life_left_seconds") ?? 0)) {
      expect(left).toBeGreaterThan(year - 60);
      expect(left).toBeLessThanOrEqual(year);
    }
  });
});
