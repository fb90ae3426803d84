import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parseKeyRing } from "../../src/privacy/keys/key-ring.ts";
import { differing, present, readPrints, ringIdsOf, sayGoodbye } from "../../src/limits/fleet.ts";
import { parseQuota } from "../../src/limits/parse-quota.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { startTestRedis } from "../support/redis.ts";
import { startWorkerBundle } from "../support/worker.ts";

const QUEUE = "{eko-0}";
const WORKERS = `satyapan:${QUEUE}:workers`;

describe("workers of one queue", () => {
  it("say nothing while they run with the same, and once in which setting they differ", async () => {
    await using bundle = await startWorkerBundle();
    const warnings = () =>
      bundle.log
        .filter((line) => line.includes("another worker runs"))
        .map((line) => (JSON.parse(line) as { settings: string[] }).settings);
    await bundle.startWorker();
    await bundle.startWorker();
    expect(warnings()).toEqual([]);
    const { eko } = bundle.settings;
    if (eko === null) throw new Error("no settings of Eko");
    const accessKey = new Secret("another-planted-access-key");
    const quotas = { ...bundle.settings.quotas, eko: parseQuota("7/1s", "quota") };
    await bundle.startWorker({ eko: { ...eko, accessKey }, quotas });
    expect(warnings()).toEqual([["EKO_ACCESS_KEY", "EKO_QUOTA"]]);
    const stored = JSON.stringify(await bundle.redis.client().hgetall(WORKERS));
    for (const text of [stored, bundle.log.join("")]) {
      expect(text).not.toContain("another-planted-access-key");
      expect(text).not.toContain(eko.accessKey.open());
    }
    expect(stored).not.toContain(eko.userCode);
  });

  it("are forgotten when they stop, and 90 s after they were last heard of", async () => {
    await using redis = await startTestRedis();
    const client = redis.client();
    expect(await present(client, QUEUE, "a", { EKO_QUOTA: "1/1s" })).toEqual([]);
    expect(await present(client, QUEUE, "b", { EKO_QUOTA: "2/1s" })).toEqual([{ EKO_QUOTA: "1/1s" }]);
    expect((await readPrints(client, QUEUE)).size).toBe(2);
    await client.hset(WORKERS, "a", `${Date.now() - 91_000} {"EKO_QUOTA":"1/1s"}`);
    expect([...(await readPrints(client, QUEUE))]).toEqual([["b", { EKO_QUOTA: "2/1s" }]]);
    expect(await present(client, QUEUE, "b", { EKO_QUOTA: "2/1s" })).toEqual([]);
    expect(await client.hkeys(WORKERS)).toEqual(["b"]);
    expect(await client.pttl(WORKERS)).toBeGreaterThan(80_000);
    await sayGoodbye(client, QUEUE, "b");
    expect(await client.exists(WORKERS)).toBe(0);
  });

  it("may have other keys in their rings, whose ids they say and nothing else of them", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.startWorker();
    const ring = `k2:${randomBytes(32).toString("base64")},k1:${randomBytes(32).toString("base64")}`;
    await bundle.startWorker({ keys: parseKeyRing(ring) });
    expect(bundle.log.filter((line) => line.includes("another worker runs"))).toEqual([]);
    const live = await readPrints(bundle.redis.client(), QUEUE);
    expect([...live.values()].map(ringIdsOf)).toEqual(expect.arrayContaining([["k1"], ["k2", "k1"]]));
    const stored = JSON.stringify([...live]);
    for (const key of ring.split(",")) expect(stored).not.toContain(key.slice(3));
  });

  it("are counted, and compared to nothing, where what they wrote cannot be read", async () => {
    await using redis = await startTestRedis();
    const client = redis.client();
    for (const [index, text] of ["no JSON", "[1]", '{"EKO_QUOTA":7}'].entries())
      await client.hset(WORKERS, `w${index}`, `${Date.now()} ${text}`);
    const others = await present(client, QUEUE, "a", { EKO_QUOTA: "1/1s" });
    expect(others).toEqual([{}, {}, {}]);
    expect(differing([{ EKO_QUOTA: "1/1s" }, ...others])).toEqual([]);
    expect((await readPrints(client, QUEUE)).size).toBe(4);
  });

  it("with another subject key are told of that alone, since nothing else can be compared", () => {
    const one = { EKO_QUOTA: "1/1s", EKO_ACCESS_KEY: "a", SATYAPAN_SUBJECT_KEY: "x" };
    expect(differing([one, { ...one, EKO_ACCESS_KEY: "b", SATYAPAN_SUBJECT_KEY: "y" }])).toEqual([
      "SATYAPAN_SUBJECT_KEY",
    ]);
    expect(differing([one, one])).toEqual([]);
  });
});
