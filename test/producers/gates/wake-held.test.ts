import { describe, expect, it } from "vitest";
import { JobQueues } from "../../../src/queues/job-queues.ts";
import { wakeHeld } from "../../../producers/gates/wake-held.ts";
import { madeUpMobile } from "../../../simulator/people.ts";
import { bullmqJobId, bullmqPrefix, queuePrefix, recordKey } from "../../../src/queues/names.ts";
import type { Lane } from "../../../src/outcomes/lane.ts";
import { RecordStore } from "../../../src/records/record-store.ts";
import { type ClientBundle, startClientBundle } from "../../support/client.ts";
import { startWorkerBundle } from "../../support/worker.ts";
import { Lived } from "../../support/lived.ts";

const QUEUE = "{eko-0}";
const CONTROL = `${queuePrefix(QUEUE)}control`;
const BASE = bullmqPrefix(QUEUE);
const A = "user_code:A";
const B = "operation:eko.mobile-otp";
const HOLD_MS = 300_000;

interface PutAway {
  readonly id: string;
  readonly holdNames: readonly string[];
  readonly cause?: string;
  readonly lane?: Lane;
  readonly verify?: boolean;
  /** From now, ms. Default: until the hold's next probe. */
  readonly forMs?: number;
}

/** Holds of these names, and jobs as workers put them away for them. */
async function setup(bundle: ClientBundle, held: readonly string[], jobs: readonly PutAway[]) {
  const redis = bundle.redis.client();
  const now = Date.now();
  const probeAt = now + HOLD_MS;
  for (const scope of held) await redis.hset(CONTROL, `hold:${scope}`, `${now} ${probeAt} 346`);
  if (held.length > 0) await redis.hset(CONTROL, "scopes", held.length);
  const store = new RecordStore(redis, bundle.settings.retention);
  await store.create(
    QUEUE,
    jobs.map(({ id, holdNames, lane = "interactive" }) => ({
      ...{ id, holdNames, lane, operation: "eko.mobile-otp", input: "{}", digest: id, reference: "fresh" as const },
      ...{ subject: null, of: null, createdAt: now, expiresAt: null, consent: null },
    })),
  );
  const queues = new JobQueues(bundle.redis.client(), Date.now);
  const pipeline = redis.pipeline();
  for (const { id, cause = "scope", forMs = HOLD_MS } of jobs) {
    pipeline.hset(recordKey(QUEUE, id), { state: "waiting", cause, next: now + forMs, since: now, detail: "346" });
  }
  await pipeline.exec();
  for (const [forMs, some] of Map.groupBy(jobs, (job) => job.forMs ?? HOLD_MS)) {
    const queued = some.map(({ id, lane = "interactive", verify = false }) => ({ id, lane, verify }));
    await queues.add(QUEUE, queued, forMs);
  }
  const ids = (list: readonly string[]): string[] => list.map((id) => id.replace(/^j-/, ""));
  return {
    redis,
    queues,
    /** In the order in which workers would take them. */
    waiting: async () => ids((await redis.lrange(`${BASE}wait`, "0", "-1")).toReversed()),
    bulk: async () => ids(await redis.zrange(`${BASE}prioritized`, "0", "-1")),
    delayed: async () => await redis.zrange(`${BASE}delayed`, "0", "-1", "WITHSCORES"),
    [Symbol.asyncDispose]: async () => await queues.close(),
  };
}

describe("the resume of a scope", () => {
  it("calls at once what waited for it, long before one job would have tried", async () => {
    await using bundle = await startWorkerBundle({
      simulator: { faults: [{ fault: "agent-not-allowed", times: 1 }], userCodes: ["20810200", "20810201"] },
    });
    await bundle.startWorker();
    const submit = async (person: number, code: string) =>
      await bundle.client.submit("eko.dmt-levin.sender", { customer_id: madeUpMobile(person), user_code: code });
    const reason = async (id: string) => (await bundle.client.get(id))?.reason;
    const refused = await submit(1, "20810200");
    await expect.poll(async () => await reason(refused.id)).toMatch(/^held: /);
    const others = [await submit(2, "20810200"), await submit(3, "20810200")];
    for (const { id } of others) await expect.poll(async () => await reason(id)).toMatch(/^held: /);
    const before = await bundle.client.get(others[0]?.id ?? "");
    expect(Date.parse(before?.next_attempt_at ?? "") - Date.now()).toBeGreaterThan(60_000);
    await bundle.client.gates.resume("eko", "user_code:20810200");
    for (const { id } of [refused, ...others]) {
      expect((await bundle.client.waitFor(id)).state).toBe("succeeded");
    }
  });

  it("wakes the jobs that were put away for that scope, and leaves all others where they are", async () => {
    await using bundle = await startClientBundle();
    const others: PutAway[] = [
      { id: "of-another-agent", holdNames: ["user_code:AA"] },
      { id: "of-another-operation", holdNames: ["operation:other"] },
      { id: "in-its-cooldown", holdNames: [A], cause: "cooldown", forMs: 40_000 },
      { id: "pending", holdNames: [A], cause: "pending", forMs: 50_000 },
      { id: "backing-off", holdNames: [A], cause: "backoff", forMs: 60_000 },
      { id: "unknown", holdNames: [A], cause: "unknown", forMs: 70_000 },
    ];
    const holdNames = ["user_code:A", "initiator_id:I"];
    await using place = await setup(bundle, [A, "user_code:AA"], [...others, { id: "held", holdNames }]);
    const before = await place.delayed();
    await bundle.client.gates.resume("eko", A);
    expect(await place.waiting()).toEqual(["held"]);
    const held = before.indexOf("j-held");
    expect(await place.delayed()).toEqual(before.toSpliced(held, 2));
    expect((await bundle.client.gates.read("eko")).holds.map(({ scope }) => scope)).toEqual(["user_code:AA"]);
  });

  it("leaves those that another of their hold names holds for as long, and wakes those it holds for less", async () => {
    await using bundle = await startClientBundle();
    const holdNames = [A, B];
    await using place = await setup(
      bundle,
      [A, B],
      [
        { id: "for-both", holdNames },
        { id: "longer-for-a", holdNames, forMs: 2 * HOLD_MS },
      ],
    );
    await bundle.client.gates.resume("eko", A);
    expect(await place.waiting()).toEqual(["longer-for-a"]);
    await bundle.client.gates.resume("eko", B);
    expect(await place.waiting()).toEqual(["longer-for-a", "for-both"]);
  });

  it("keeps each job's lane and priority: verifies of the bulk lane go before its sends", async () => {
    await using bundle = await startClientBundle();
    const holdNames = [A];
    await using place = await setup(
      bundle,
      [A],
      [
        { id: "send", holdNames, lane: "bulk" },
        { id: "urgent", holdNames },
        { id: "verify", holdNames, lane: "bulk", verify: true },
        { id: "later-send", holdNames, lane: "bulk" },
      ],
    );
    const priorities = async () =>
      await Promise.all(
        ["send", "urgent", "verify"].map(async (id) => await place.redis.hget(`${BASE}${bullmqJobId(id)}`, "priority")),
      );
    const before = await priorities();
    await bundle.client.gates.resume("eko", A);
    expect(await place.waiting()).toEqual(["urgent"]);
    expect(await place.bulk()).toEqual(["verify", "send", "later-send"]);
    expect(await priorities()).toEqual(before);
    expect(before).toEqual(["20", "0", "10"]);
  });

  it("wakes a thousand, in the order in which they were put away", async () => {
    await using bundle = await startClientBundle();
    const jobs = Array.from({ length: 1_000 }, (_, index) => ({ id: `job-${index}`, holdNames: [A] }));
    await using place = await setup(bundle, [A], jobs);
    using lived = new Lived();
    await bundle.client.gates.resume("eko", A);
    expect(lived.ms).toBeLessThan(15_000);
    expect(await place.waiting()).toEqual(jobs.map(({ id }) => id));
    expect(await place.delayed()).toEqual([]);
  });

  it("leaves a job alone that is taken or ends while the others are woken", async () => {
    await using bundle = await startClientBundle();
    const holdNames = [A];
    await using place = await setup(
      bundle,
      [],
      ["first", "taken", "ended", "last"].map((id) => ({ id, holdNames })),
    );
    const { redis } = place;
    /** Between the look at the records and the wake. */
    class Meanwhile extends JobQueues {
      override async promote(...[name, ids]: Parameters<JobQueues["promote"]>): Promise<void> {
        await redis.zrem(`${BASE}delayed`, "j-taken", "j-ended");
        await redis.lpush(`${BASE}active`, "j-taken");
        await redis.del(`${BASE}j-ended`);
        await super.promote(name, ids);
      }
    }
    await using queues = Object.assign(new Meanwhile(bundle.redis.client(), Date.now), {
      [Symbol.asyncDispose]: async (): Promise<void> => await queues.close(),
    });
    await wakeHeld({ redis, queues }, QUEUE, A);
    expect(await place.waiting()).toEqual(["first", "last"]);
    expect(await redis.lrange(`${BASE}active`, "0", "-1")).toEqual(["j-taken"]);
    expect(await redis.exists(`${BASE}j-ended`)).toBe(0);
  });

  it("does nothing where nobody waits, and does not trip over a job whose record is gone", async () => {
    await using bundle = await startClientBundle();
    await using place = await setup(bundle, [], [{ id: "gone", holdNames: [A] }]);
    await place.redis.del(recordKey(QUEUE, "gone"));
    await wakeHeld(place, QUEUE, A);
    await wakeHeld(place, "{deepvue-0}", A);
    expect(await place.waiting()).toEqual([]);
    expect(await place.delayed()).toHaveLength(2);
  });
});
