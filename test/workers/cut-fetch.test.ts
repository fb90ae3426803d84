import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { SETTLED_CHANNEL } from "../../src/queues/names.ts";
import { Secret } from "../../src/secrets/secret.ts";
import { cuttingProxy } from "../support/cutting-proxy.ts";
import { startWorkerBundle } from "../support/worker.ts";

/** BullMQ's token of a fetch. */
const FETCH = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}:\d+/;
const BEGIN = new RegExp(`${SETTLED_CHANNEL}[^]*${FETCH.source}`);
const LOCK = { lockMs: 1_000, checkMs: 300 };

describe("a fetch whose answer was cut off is sent again, and brings another job", () => {
  it.each([
    ["before the attempt of the first was begun", FETCH],
    ["when the attempt of the first had been begun", BEGIN],
  ])("each is called once, where that was %s", async (_when, to) => {
    await using bundle = await startWorkerBundle();
    await using proxy = await cuttingProxy(bundle.redis, { from: FETCH, to });
    const worker = await bundle.startWorker({ redisUrl: new Secret(proxy.url, "hidden") }, Date.now, LOCK);
    const submit = async (n: number): Promise<string> => {
      const { id } = await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(n), csp_id: "agent-1" });
      return id;
    };
    // From the first on Redis knows every script.
    await bundle.client.waitFor(await submit(1));
    proxy.arm();
    const ids = await Promise.all([2, 3, 4].map(submit));
    await proxy.cut;
    const records = await Promise.all(ids.map(async (id) => await bundle.client.waitFor(id)));
    expect(records.map(({ state }) => state)).toEqual(["succeeded", "succeeded", "succeeded"]);
    expect(bundle.simulator.requests).toHaveLength(4);
    await worker.stop();
  });
});
