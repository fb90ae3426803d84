import { describe, expect, it } from "vitest";
import { connectKeys } from "../../../producers/keys/connect-keys.ts";
import { KeyRotation } from "../../../producers/keys/key-rotation.ts";
import type { UseKeys } from "../../../producers/keys/key-deps.ts";
import { Shredding } from "../../../producers/keys/shredding.ts";
import { AADHAAR_INPUT, type ClientBundle, startClientBundle } from "../../support/client.ts";

// With jobs as the client submits them: what keys and shredding find is what records really are.

function useKeys(bundle: ClientBundle): UseKeys {
  const redis = bundle.redis.client();
  const deps = { ...connectKeys(redis, redis, bundle.settings, Date.now, "command:test"), sleep: async () => {} };
  return async (work) => await work(deps);
}

const mobileInput = (n: number) => ({ mobile: `912345678${n}`, csp_id: "agent-1" });
const REASON = { reason: "to see whether it opens" };

describe("the keys of submitted jobs", () => {
  it("are counted by the jobs that they seal, of all queues", async () => {
    await using bundle = await startClientBundle();
    for (const n of [1, 2]) await bundle.client.submit("eko.mobile-otp", mobileInput(n), { id: `day-${n}` });
    await bundle.client.submit("deepvue.aadhaar-otp", AADHAAR_INPUT, { batch: "b-1" });
    const { data_keys } = await new KeyRotation(useKeys(bundle)).status();
    const counts = Object.fromEntries(data_keys.map(({ scope, jobs }) => [scope.replace(/^day:.*/, "day"), jobs]));
    expect(counts).toEqual({ "batch:b-1": 1, day: 2 });
  });

  it("can be shredded for one job, and the others that shared its key still open", async () => {
    await using bundle = await startClientBundle();
    for (const n of [1, 2, 3]) await bundle.client.submit("eko.mobile-otp", mobileInput(n), { id: `job-${n}` });
    const shredding = new Shredding(useKeys(bundle));
    expect(await shredding.plan({ kind: "job", id: "job-2" })).toMatchObject({ jobs: 1, open: 1, others: 2 });
    expect(await shredding.shred({ kind: "job", id: "job-2" })).toMatchObject({
      destroyed: 1,
      done: true,
      again: false,
    });
    const client = bundle.newClient();
    for (const n of [1, 3]) expect((await client.reveal(`job-${n}`, REASON)).input).toMatchObject(mobileInput(n));
    await expect(client.reveal("job-2", REASON)).rejects.toMatchObject({ code: "shredded" });
  });

  it("can be replaced while jobs wait, which still open", async () => {
    await using bundle = await startClientBundle();
    for (const n of [1, 2]) await bundle.client.submit("eko.mobile-otp", mobileInput(n), { id: `job-${n}` });
    expect(await new KeyRotation(useKeys(bundle)).renew()).toMatchObject({ replaced: 1, done: true });
    await new Shredding(useKeys(bundle)).shred({ kind: "older", thanMs: 3_600_000 });
    for (const n of [1, 2]) {
      expect((await bundle.newClient().reveal(`job-${n}`, REASON)).input).toMatchObject(mobileInput(n));
    }
  });
});
