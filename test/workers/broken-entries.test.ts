import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

const BASE = "bull:{eko-0}:";

/** What the job's hash in BullMQ is broken with. */
const BROKEN = {
  cut: { data: '{"cut' },
  null: { data: "null" },
  list: { data: "[1]" },
  number: { data: "7" },
  empty: { data: "" },
  options: { opts: "{" },
  "no-object": { opts: "null" },
  progress: { progress: "x" },
  parent: { parent: "{" },
  "next-version": { data: '{"v":9,"id":"somebody-else"}', opts: '{"attempts":3,"fut":{"ure":1}}' },
} as const;

async function unreadable({ metricsPort }: { readonly metricsPort: number }): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  return Number(/^satyapan_unreadable_total\{place="queue"\} (\S+)$/m.exec(page)?.[1] ?? 0);
}

async function left({ redis }: WorkerBundle): Promise<string[]> {
  const keys = await redis.client().keys(`${BASE}*`);
  const lists = await Promise.all(
    ["wait", "active"].map(async (name) => await redis.client().lrange(`${BASE}${name}`, 0, -1)),
  );
  return [...keys.filter((key) => /:(j-|foreign)/.test(key)), ...lists.flat()];
}

describe("a job whose entry in the queue is broken", () => {
  it("is taken as its record says, once, is counted, and leaves nothing behind", async () => {
    await using bundle = await startWorkerBundle();
    const { client } = bundle;
    const redis = bundle.redis.client();
    for (const [person, [id, fields]] of Object.entries(BROKEN).entries()) {
      await client.submit("eko.mobile-otp", { mobile: madeUpMobile(person), csp_id: "agent-1" }, { id });
      await redis.hset(`${BASE}j-${id}`, fields);
    }
    await client.submit("eko.mobile-otp", { mobile: madeUpMobile(50), csp_id: "agent-1" }, { id: "gone" });
    await redis.del(`${BASE}j-gone`);
    const worker = await bundle.startWorker();
    for (const id of [...Object.keys(BROKEN), "gone"]) {
      expect((await client.waitFor(id, { timeoutMs: 60_000 })).state, id).toBe("succeeded");
    }
    expect(bundle.simulator.requests).toHaveLength(Object.keys(BROKEN).length + 1);
    await expect.poll(async () => await left(bundle)).toEqual([]);
    // A later version's fields are sound; of the one that is gone the options are missing.
    expect(await unreadable(worker)).toBe(Object.keys(BROKEN).length);
    expect(bundle.log.filter((line) => /job threw|worker error/.test(line))).toEqual([]);
  });

  it("that no producer of ours made is dropped once, counted, and stands for nobody's job", async () => {
    await using bundle = await startWorkerBundle();
    const redis = bundle.redis.client();
    const { id } = await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(1), csp_id: "agent-1" });
    await redis.lrem(`${BASE}wait`, 0, `j-${id}`);
    await redis.del(`${BASE}j-${id}`);
    await redis.hset(`${BASE}foreign-1`, { name: "x", data: "{}", opts: '{"removeOnComplete":true}', timestamp: "1" });
    // Two characters before an id of ours are not ours.
    await redis.hset(`${BASE}x-${id}`, { name: "x", data: "{}", opts: '{"removeOnComplete":true}', timestamp: "1" });
    await redis.lpush(`${BASE}wait`, "foreign-1", `x-${id}`);
    const worker = await bundle.startWorker();
    await expect.poll(async () => await unreadable(worker)).toBe(2);
    await expect.poll(async () => await left(bundle)).toEqual([]);
    expect(bundle.simulator.requests).toEqual([]);
  });
});
