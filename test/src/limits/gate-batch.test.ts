import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bullmqPrefix, queuePrefix } from "../../../src/queues/names.ts";
import type { AttemptStart } from "../../../src/records/attempt-start.ts";
import type { CallHealth } from "../../../src/records/attempt-end.ts";
import type { NewJob } from "../../../src/records/stored-job.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { type Gate, newGate } from "./gate-bundle.ts";

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

/** What stops the gate before the first job comes: fields of `control`. Far times, so that the clock decides nothing. */
const LATER = 4_000_000_000_000;
const STOPS: readonly Readonly<Record<string, string | number>>[] = [
  {},
  { hold: "403", hold_since: 1, hold_probe: 1 },
  { hold: "403", hold_since: 1, hold_probe: LATER },
  { pause_until: LATER, strikes: 1, strike_at: 1 },
  { breaker: "open", open_ms: 5_000, probe_at: 1, open_since: 1 },
  { breaker: "open", open_ms: 5_000, probe_at: LATER, open_since: 1 },
  { breaker: "ramp", open_ms: 5_000, ramp_at: 1, ramp_gap: 1_000_000, open_since: 1 },
  { scopes: 1, "hold:user_code:A": `1 ${LATER} 346` },
  { scopes: 1, "hold:user_code:A": "1 1 346" },
  { factor: "0.5", factor_at: 1, factor_worked: 1 },
  { floor: "1 0 0" },
];
const HEALTHS: readonly (CallHealth | null)[] = [
  { kind: "well" },
  { kind: "well" },
  { kind: "failed" },
  { kind: "throttled", retryAfterMs: 3_600_000 },
  { kind: "refused", scope: null, reason: "403" },
  { kind: "refused", scope: "user_code:A", reason: "346" },
  null,
];

interface Person {
  readonly subject: string | null;
  readonly holdNames: readonly string[];
  readonly lane: NewJob["lane"];
}

const PERSON: fc.Arbitrary<Person> = fc.record({
  // Most jobs are nobody's else: one person in a batch of many is the rule, and the cooldown the exception.
  subject: fc.oneof({ weight: 4, arbitrary: fc.constant(null) }, fc.constantFrom("a", "b")),
  holdNames: fc.constantFrom([], ["user_code:A", "operation:x"], ["user_code:B", "operation:x"]),
  lane: fc.constantFrom("interactive", "bulk"),
});
/** Windows of an hour and more: how long a test takes decides nothing. None, wide ones, and such that fill up. */
const QUOTA = fc.constantFrom("", "1000/1h", "40/1h", "8/1h,20/1d", "1/1h", "3/1h,1000/1d");
/** Jobs in the batches in which they come. */
const BATCHES = fc.array(fc.array(PERSON, { minLength: 1, maxLength: 20 }), { minLength: 1, maxLength: 5 });

/** A gate with these stops, bulk jobs in line, and a job for each person. */
async function prepare(quota: string, stop: (typeof STOPS)[number], batches: readonly (readonly Person[])[]) {
  const gate = await newGate(redis, quota, { floorEvery: 4 });
  if (Object.keys(stop).length > 0) await gate.client.hset(gate.key, stop);
  const line = Array.from({ length: 60 }, (_, index) => [index, `j-bulk-${index}`]).flat();
  await gate.client.zadd(`${bullmqPrefix(gate.queue)}prioritized`, ...line);
  const jobs = batches.map((batch) => batch.map((person) => gate.newJob(person)));
  await gate.store.create(gate.queue, jobs.flat());
  return { gate, ids: jobs.map((batch) => batch.map(({ id }) => id)) };
}

/** A decision without its times. */
function decision(beginning: AttemptStart): unknown {
  switch (beginning.kind) {
    case "run": {
      const { scarce, waitMs } = beginning.permit;
      return { kind: "run", scarce, waitMs, isProbe: beginning.isProbe };
    }
    case "blocked":
      return { kind: "blocked", cause: beginning.cause, isLater: beginning.until >= LATER };
    default:
      return beginning.kind;
  }
}

/** What the gate knows afterwards, without the times at which it learnt it. */
async function memory({ client, key, queue, permits, inFlight }: Gate, ids: readonly string[]): Promise<unknown> {
  const named = (value: string): string => {
    const index = ids.indexOf(value);
    return index < 0 ? value.replaceAll(/\d{13}/g, "TIME") : `job ${index}`;
  };
  // How many calls may be at once is learnt from how long they take: from times. Bulk's turns are counted once a batch.
  const { flow: _, floor: _floor, ...known } = await client.hgetall(key);
  const fields = Object.entries(known).map(([name, value]) => [name, named(value)] as const);
  const sends = await client.mget(["a", "b"].map((subject) => `${queuePrefix(queue)}sent:${subject}`));
  return {
    fields: Object.fromEntries(fields),
    sends: sends.map((sent) => sent?.split(",").map((send) => named(send.split(" ")[1] ?? ""))),
    permits: (await permits()).length,
    inFlight: await inFlight(),
  };
}

describe("jobs that come together", () => {
  it("are let through as if they came one by one, whatever stops the gate", async () => {
    let runs = 0;
    let blocks = 0;
    await fc.assert(
      fc.asyncProperty(QUOTA, fc.constantFrom(...STOPS), BATCHES, async (quota, stop, batches) => {
        const together = await prepare(quota, stop, batches);
        const single = await prepare(quota, stop, batches);
        for (const [index, batch] of together.ids.entries()) {
          const decisions = (await Promise.all(batch.map(together.gate.begin))).map(decision);
          const others: unknown[] = [];
          for (const id of single.ids[index] ?? []) others.push(decision(await single.gate.begin(id)));
          expect(decisions).toEqual(others);
          runs += decisions.filter((one) => (one as { kind: string }).kind === "run").length;
          blocks += decisions.filter((one) => (one as { kind: string }).kind === "blocked").length;
        }
        expect(await memory(together.gate, together.ids.flat())).toEqual(await memory(single.gate, single.ids.flat()));
      }),
      { numRuns: 60 },
    );
    expect(Math.min(runs, blocks), "both were tried").toBeGreaterThan(50);
  });

  it("charge a wide quota with one command, and a scarce one with one for each", async () => {
    const pushes = async (quota: string, count: number): Promise<number> => {
      const person = { subject: null, holdNames: [], lane: "interactive" } as const;
      const { gate, ids } = await prepare(quota, {}, [Array.from({ length: count }, () => person)]);
      const calls = async (): Promise<number> =>
        Number(/cmdstat_lpush:calls=(\d+)/.exec(await gate.client.info("commandstats"))?.[1] ?? 0);
      const before = await calls();
      await Promise.all(ids.flat().map(gate.begin));
      expect(await gate.permits()).toHaveLength(count);
      return (await calls()) - before;
    };
    expect(await pushes("1000/1h", 20)).toBe(1);
    expect(await pushes("20/1h", 20)).toBe(20);
  });

  it("end as if they ended one by one: the gate learns the same", async () => {
    const ends = fc.array(fc.tuple(PERSON, fc.constantFrom(...HEALTHS)), { minLength: 2, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...STOPS), ends, async (stop, calls) => {
        const people = [calls.map(([person]) => ({ ...person, subject: null }))];
        const [together, single] = [await prepare("", {}, people), await prepare("", {}, people)];
        for (const { gate, ids } of [together, single]) {
          await Promise.all(ids.flat().map(gate.begin));
          if (Object.keys(stop).length > 0) await gate.client.hset(gate.key, stop);
        }
        const healthOf = (index: number): CallHealth | null => calls[index]?.[1] ?? null;
        const [ids, others] = [together.ids.flat(), single.ids.flat()];
        const closed = await Promise.all(ids.map(async (id, n) => await together.gate.finish(id, healthOf(n))));
        const alone: typeof closed = [];
        for (const [n, id] of others.entries()) alone.push(await single.gate.finish(id, healthOf(n)));
        const isSet = ({ answer, nextAt }: (typeof closed)[number]): unknown => ({ answer, waits: nextAt !== null });
        expect(closed.map(isSet)).toEqual(alone.map(isSet));
        expect(await memory(together.gate, ids)).toEqual(await memory(single.gate, others));
      }),
      { numRuns: 60 },
    );
  });
});
