import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { recordKey } from "../../src/queues/names.ts";
import { startWorkerBundle } from "../support/worker.ts";

/** Field and value that a record is broken with; what is named for it. */
const BROKEN = {
  "no-words": ["job", "\u0000\u0001 garbled", "job"],
  cut: ["job", "eko.mobile-otp inter", "job"],
  "no-time": ["job", "eko.mobile-otp interactive x ~ ~ + ~", "job"],
  state: ["state", "quuued", "state"],
  count: ["attempts", "1e99", "attempts"],
  due: ["next", "soon", "next"],
} as const;

describe("a job whose record is broken", () => {
  it("is parked once, with a code and what is wrong, is counted, and is never called", async () => {
    await using bundle = await startWorkerBundle();
    const redis = bundle.redis.client();
    const ids = Object.keys(BROKEN);
    for (const [index, id] of ids.entries())
      await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(index), csp_id: "agent-1" }, { id });
    for (const [id, [field, value]] of Object.entries(BROKEN)) await redis.hset(recordKey("{eko-0}", id), field, value);
    for (const [id, [, , named]] of Object.entries(BROKEN)) {
      expect(await bundle.client.get(id), id).toMatchObject({ unreadable: [named] });
      expect((await bundle.client.explain(id))?.text, id).toContain(
        `Unreadable: ${named} of its record is not what was`,
      );
    }
    const worker = await bundle.startWorker();
    for (const [id, [, , named]] of Object.entries(BROKEN)) {
      await expect
        .poll(async () => await redis.hmget(recordKey("{eko-0}", id), "state", "reason"))
        .toEqual([
          "failed",
          `unreadable: ${named} of its record is not what was stored (altered, cut off, or of a later version)`,
        ]);
    }
    await expect
      .poll(async () => await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text())
      .toContain(`satyapan_unreadable_total{place="record"} ${ids.length}`);
    expect(bundle.log.filter((line) => line.includes("job threw"))).toEqual([]);
    expect(bundle.simulator.requests).toEqual([]);
  });

  it("is parked where this version does not know its operation", async () => {
    await using bundle = await startWorkerBundle();
    const redis = bundle.redis.client();
    await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(1), csp_id: "agent-1" }, { id: "later" });
    const key = recordKey("{eko-0}", "later");
    await redis.hset(key, "job", ((await redis.hget(key, "job")) ?? "").replace("eko.mobile-otp", "eko.later-otp"));
    await bundle.startWorker();
    await expect
      .poll(async () => await redis.hget(key, "reason"))
      .toMatch(/^unreadable: this version has no operation eko\.later-otp /);
  });

  it("is shown as far as it can be read", async () => {
    await using bundle = await startWorkerBundle();
    const redis = bundle.redis.client();
    await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(1), csp_id: "agent-1" }, { id: "job-1" });
    const broken = { attempts: "2", "attempt:1": '{"client_re', result: "[1", decisions: "no\n", updated: "x" };
    await redis.hset(recordKey("{eko-0}", "job-1"), broken);
    expect(await bundle.client.get("job-1")).toMatchObject({
      ...{ operation: "eko.mobile-otp", attempts: [], result: null, decisions: [] },
      unreadable: ["attempt:1", "attempt:2", "result", "decisions"],
    });
    expect((await bundle.client.explain("job-1"))?.text).toContain(
      "Unreadable: attempt:1, attempt:2, result, decisions",
    );
  });
});
