import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { JobQueues } from "../../src/queues/job-queues.ts";
import { bullmqPrefix, recordKey } from "../../src/queues/names.ts";
import type { RedisClient } from "../../src/redis/connection.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { LostJobs } from "../../workers/lost-jobs.ts";
import { meanwhile } from "../support/meanwhile.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

const QUEUE = "{eko-0}";
const BASE = bullmqPrefix(QUEUE);
const MINUTE = 60_000;

const input = (n: number) => ({ mobile: madeUpMobile(n), csp_id: "agent-1" });

/** What looks for lost jobs, a minute from now unless said otherwise. */
function looker(
  { redis }: Pick<WorkerBundle, "redis">,
  now = (): number => Date.now() + MINUTE,
  client: RedisClient = redis.client(),
) {
  const log: string[] = [];
  const queues = new JobQueues(client, Date.now);
  const logger = createLogger(
    "warn",
    new Writable({ write: (chunk, _encoding, done) => (log.push(String(chunk)), done()) }),
  );
  let clock = 0;
  const jobs = new LostJobs({ redis: client, queues, logger, now, monotonic: () => clock });
  return {
    log,
    look: async () => await jobs.look(QUEUE),
    pass: (ms: number) => (clock += ms),
    [Symbol.asyncDispose]: async () => await queues.close(),
  };
}

/** As another tool does it. */
async function removeEntry({ redis }: WorkerBundle, entry: string): Promise<void> {
  const client = redis.client();
  await client.lrem(`${BASE}wait`, 0, entry);
  await client.zrem(`${BASE}prioritized`, entry);
  expect(await client.del(`${BASE}${entry}`)).toBe(1);
}

const hasEntry = async ({ redis }: WorkerBundle, id: string): Promise<boolean> =>
  (await redis.client().exists(`${BASE}j-${id}`)) === 1;

describe("a job that nothing in its queue carries", () => {
  it("is queued again, with one line in the log, and called once", async () => {
    await using bundle = await startWorkerBundle();
    await using lost = looker(bundle);
    const { id } = await bundle.client.submit("eko.mobile-otp", input(1), { lane: "bulk" });
    await removeEntry(bundle, `j-${id}`);
    await lost.look();
    expect(await hasEntry(bundle, id)).toBe(true);
    expect(await bundle.redis.client().zscore(`${BASE}prioritized`, `j-${id}`)).not.toBeNull();
    expect(lost.log.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ queue: QUEUE, job: id, jobs: 1 }]);
    await bundle.startWorker();
    expect(await bundle.client.waitFor(id)).toMatchObject({ state: "succeeded" });
    expect(bundle.simulator.requests).toHaveLength(1);
  });

  it("is queued again, too, where its ticket is gone and nobody knows of it", async () => {
    await using bundle = await startWorkerBundle();
    await using lost = looker(bundle);
    const records = await bundle.client.submitMany("eko.mobile-otp", [input(1), input(2)]);
    const client = bundle.redis.client();
    const [ticket = ""] = await client.zrange(`${BASE}prioritized`, "0", "-1");
    expect(await client.hget(recordKey(QUEUE, records[0]?.id ?? ""), "ticket")).toBe(ticket);
    // The second one finds that those were all.
    for (let looks = 0; looks < 2; looks += 1) await lost.look();
    expect(await Promise.all(records.map(async ({ id }) => await hasEntry(bundle, id)))).toEqual([false, false]);
    await removeEntry(bundle, ticket);
    lost.pass(5 * MINUTE);
    await lost.look();
    expect(await Promise.all(records.map(async ({ id }) => await hasEntry(bundle, id)))).toEqual([true, true]);
  });

  it("is none where it was done while it was looked for", async () => {
    await using bundle = await startWorkerBundle();
    const { id } = await bundle.client.submit("eko.mobile-otp", input(1));
    await using beside = await meanwhile(bundle.redis, /exists/, async (other) => {
      await other.hset(recordKey(QUEUE, id), { state: "succeeded", updated: Date.now() });
      await removeEntry(bundle, `j-${id}`);
    });
    await using lost = looker(bundle, () => Date.now() + MINUTE, beside.client);
    await lost.look();
    expect(await hasEntry(bundle, id)).toBe(false);
    expect(lost.log).toEqual([]);
  });

  it("is left alone for a minute, as its entry may be on its way", async () => {
    await using bundle = await startWorkerBundle();
    await using lost = looker(bundle, () => Date.now() + MINUTE - 30_000);
    const { id } = await bundle.client.submit("eko.mobile-otp", input(1));
    await removeEntry(bundle, `j-${id}`);
    await lost.look();
    expect(await hasEntry(bundle, id)).toBe(false);
    expect(lost.log).toEqual([]);
  });

  it("is looked for once in five minutes", async () => {
    await using bundle = await startWorkerBundle();
    await using lost = looker(bundle);
    const { id } = await bundle.client.submit("eko.mobile-otp", input(1));
    await lost.look();
    await removeEntry(bundle, `j-${id}`);
    lost.pass(5 * MINUTE - 1);
    await lost.look();
    expect(await hasEntry(bundle, id)).toBe(false);
    lost.pass(1);
    await lost.look();
    expect(await hasEntry(bundle, id)).toBe(true);
  });

  it("is found wherever its record stands, also where going through all of them takes longer than that", async () => {
    await using bundle = await startWorkerBundle();
    await using lost = looker(bundle);
    const client = bundle.redis.client();
    for (let n = 0; n < 2_000; n += 1) await client.set(`filler:${n}`, "");
    const ids: string[] = [];
    for (let n = 0; n < 20; n += 1) ids.push((await bundle.client.submit("eko.mobile-otp", input(n))).id);
    for (const id of ids) await removeEntry(bundle, `j-${id}`);
    for (let looks = 0; looks < 40; looks += 1) {
      await lost.look();
      lost.pass(5 * MINUTE);
    }
    expect(await Promise.all(ids.map(async (id) => await hasEntry(bundle, id)))).toEqual(ids.map(() => true));
  });

  it("is none that is settled, which waits for a decision", async () => {
    await using bundle = await startWorkerBundle();
    await using lost = looker(bundle);
    const { id } = await bundle.client.submit("eko.mobile-otp", input(1));
    await bundle.redis.client().hset(recordKey(QUEUE, id), "state", "unknown");
    await removeEntry(bundle, `j-${id}`);
    await lost.look();
    expect(await hasEntry(bundle, id)).toBe(false);
  });
});
