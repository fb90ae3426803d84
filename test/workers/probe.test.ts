import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { startSimulator } from "../../simulator/simulator.ts";
import { queuePrefix, recordKey } from "../../src/queues/names.ts";
import type { AttemptStart, Permit } from "../../src/records/attempt-start.ts";
import { Journal } from "../../src/records/journal.ts";
import { newRunner } from "../support/runner.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

const QUEUE = "{eko-0}";
const CONTROL = `${queuePrefix(QUEUE)}control`;
const PROBES = 8;
const input = (person: number) => ({ mobile: madeUpMobile(person), csp_id: "agent-1" });

/** Attempts used, 409s, sends repeated; as the record counts them. */
async function spent({ redis }: WorkerBundle, id: string): Promise<string | null> {
  return await redis.client().hget(recordKey(QUEUE, id), "spent");
}

describe("a job that tries for all", () => {
  it("loses no attempt, however often it finds the provider still away, and succeeds in the end", async () => {
    await using bundle = await startWorkerBundle({ env: { CALL_ATTEMPTS: "1" } });
    const redis = bundle.redis.client();
    const port = Number(new URL(bundle.simulator.url).port);
    await bundle.simulator.close();
    // As a long outage left it: the next probe is due now.
    await redis.hset(CONTROL, { breaker: "open", open_ms: 60_000, open_since: Date.now(), probe_at: Date.now() });
    const { id } = await bundle.client.submit("eko.mobile-otp", input(1));
    await bundle.startWorker();
    const outcomes = async () =>
      (await bundle.client.get(id))?.attempts.flatMap(({ outcome }) => outcome?.kind ?? []) ?? [];
    const waits: number[] = [];
    for (let probe = 1; probe <= PROBES; probe += 1) {
      await expect.poll(outcomes).toHaveLength(probe);
      waits.push(Number(await redis.hget(CONTROL, "open_ms")));
      if (probe < PROBES) {
        // As if the minute until the next one had passed.
        await redis.hincrby(CONTROL, "probe_at", -120_000);
        await redis.del(`bull:${QUEUE}:limiter`);
      }
    }
    expect(await outcomes()).toEqual(Array.from({ length: PROBES }, () => "unavailable"));
    expect(waits).toEqual(Array.from({ length: PROBES }, () => 60_000));
    expect(await spent(bundle, id)).toBe("0 0 0");
    await using back = await startSimulator({ port });
    await redis.hincrby(CONTROL, "probe_at", -120_000);
    await redis.del(`bull:${QUEUE}:limiter`);
    const record = await bundle.client.waitFor(id);
    expect(record).toMatchObject({ state: "succeeded", reason: null });
    expect(record.attempts).toHaveLength(PROBES + 1);
    expect(await spent(bundle, id)).toBe("1 0 0");
    expect(back.outbox).toHaveLength(1);
  });

  it("is what makes it free: the same failure costs a job its attempt where nobody had to try", async () => {
    await using bundle = await startWorkerBundle({ env: { CALL_ATTEMPTS: "2" } });
    await bundle.simulator.close();
    const { id } = await bundle.client.submit("eko.mobile-otp", input(1));
    await bundle.startWorker();
    const record = await bundle.client.waitFor(id);
    expect(record).toMatchObject({
      state: "failed",
      reason: expect.stringMatching(/^attempts used up \(2\)/) as string,
    });
    expect(await spent(bundle, id)).toBe("2 0 0");
  });
});

/** Whose permits have grown old when they come, and that has no other. */
class LateJournal extends Journal {
  override async begin(id: string, freshRef: string, now: number): Promise<AttemptStart> {
    const beginning = await super.begin(id, freshRef, now);
    if (beginning.kind !== "run") return beginning;
    return { ...beginning, permit: { ...beginning.permit, waitMs: -60_000 } };
  }

  override async permit(): Promise<Permit | number> {
    return await Promise.resolve(86_400_000);
  }
}

describe("a call of which nothing was written", () => {
  it.each([
    [
      "its permit grew old and there is no other",
      LateJournal,
      new AbortController().signal,
      "not sent: its permit ran out",
    ],
    ["its worker stops", Journal, AbortSignal.abort(), "not sent: the worker stops"],
  ])("because %s costs its job nothing, and says nothing about the provider", async (_, journal, signal, why) => {
    await using bundle = await startWorkerBundle({ env: { CALL_ATTEMPTS: "1", OTP_COOLDOWN: "10m" } });
    await using stack = new AsyncDisposableStack();
    const runner = await newRunner(bundle, stack, { journal, signal });
    const ids: string[] = [];
    for (let n = 0; n < 4; n += 1) ids.push((await bundle.client.submit("eko.mobile-otp", input(n))).id);
    // More than would open the breaker, were they the provider's failures.
    for (const id of ids) expect(await runner.run(id, Date.now())).toMatchObject({ kind: "later" });
    for (const id of ids) {
      expect(await bundle.client.get(id)).toMatchObject({
        ...{ state: "waiting", reason: expect.stringContaining(why) as string },
        attempts: [{ outcome: { kind: "unavailable" } }],
      });
      expect(await spent(bundle, id)).toBe("0 0 0");
    }
    expect(bundle.simulator.requests).toEqual([]);
    const fields = await bundle.redis.client().hkeys(CONTROL);
    expect(fields.filter((field) => ["breaker", "bad", "window_at"].includes(field))).toEqual([]);
    // The person was sent nothing: no cooldown holds up whoever asks next.
    expect(await bundle.redis.client().keys(`${queuePrefix(QUEUE)}sent:*`)).toEqual([]);
    await bundle.startWorker();
    for (const id of ids) {
      expect((await bundle.client.waitFor(id)).state).toBe("succeeded");
      expect(await spent(bundle, id)).toBe("1 0 0");
    }
  });
});
