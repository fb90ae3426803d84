import { setImmediate as nextTurn } from "node:timers/promises";
import { Lived } from "../../support/lived.ts";
import { describe, expect, it } from "vitest";
import { Patience } from "../../../producers/base/patience.ts";
import { ErrorCode, type SatyapanError } from "../../../src/base/error.ts";
import { type ClientBundle, MOBILE_INPUT, startClientBundle } from "../../support/client.ts";

/** When somebody listens for settled jobs, so that what follows is told and not looked up. */
async function listening(bundle: ClientBundle): Promise<void> {
  const redis = bundle.redis.client();
  await expect.poll(async () => await redis.pubsub("NUMSUB", "satyapan:settled")).toEqual(["satyapan:settled", 1]);
}

describe("waitFor", () => {
  it("resolves as soon as the job is settled, long before it would look again", async () => {
    await using bundle = await startClientBundle();
    const { id } = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    await bundle.begin(id, "eko");
    const settled = bundle.client.waitFor(id);
    await listening(bundle);
    using started = new Lived();
    await bundle.finish(id, "eko", "succeeded", { result: { otp_sent: true } });
    expect(await settled).toMatchObject({ id, state: "succeeded", result: { otp_sent: true } });
    expect(started.ms).toBeLessThan(1_000);
  });

  it("resolves at once for a job that is settled already, and for all who wait", async () => {
    await using bundle = await startClientBundle();
    const { id } = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    await bundle.begin(id, "eko");
    const waiters = [bundle.client.waitFor(id), bundle.client.waitFor(id), bundle.newClient().waitFor(id)];
    await bundle.finish(id, "eko", "rejected");
    for (const record of await Promise.all(waiters)) expect(record.state).toBe("rejected");
    expect((await bundle.client.waitFor(id, { timeoutMs: 0 })).state).toBe("rejected");
  });

  it("bears each outage as long as the first, however long after it", async () => {
    await using bundle = await startClientBundle();
    const { id } = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    let [now, outages] = [0, 0];
    const patience = new Patience({ retryForMs: 60_000, onRetry: () => (outages += 1) }, () => now);
    const settled = bundle.newClient().waitFor(id, { timeoutMs: 600_000, patience });
    settled.catch(() => {});
    await listening(bundle);
    const admin = bundle.redis.client();
    const looks = async (): Promise<boolean> => (await admin.info("commandstats")).includes("cmdstat_hgetall");
    for (const outage of [1, 2]) {
      await bundle.redis.kill9();
      await expect.poll(() => outages).toBe(outage);
      await bundle.redis.restart();
      await expect.poll(looks).toBe(true);
      now += 300_000;
    }
    await bundle.begin(id, "eko");
    await bundle.finish(id, "eko", "succeeded");
    expect(await settled).toMatchObject({ id, state: "succeeded" });
  });

  it("hears of it also after Redis was away, when the message is lost", async () => {
    await using bundle = await startClientBundle();
    const { id } = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    await bundle.begin(id, "eko");
    const settled = bundle.client.waitFor(id);
    await listening(bundle);
    // The listener's connection only: the message finds nobody.
    await bundle.redis.client().call("CLIENT", "KILL", "TYPE", "PUBSUB");
    await bundle.finish(id, "eko", "succeeded");
    expect((await settled).state).toBe("succeeded");
  });

  it("ends with wait-timeout when the time is up, and says how the job stands", async () => {
    await using bundle = await startClientBundle();
    const { id } = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    const timeout = { code: ErrorCode.WAIT_TIMEOUT, message: `job ${id} is still queued` };
    for (const timeoutMs of [20, 0, Number.NaN]) {
      await expect(bundle.client.waitFor(id, { timeoutMs })).rejects.toMatchObject(timeout);
    }
  });

  it("ends the same way when its signal aborts, before or during", async () => {
    await using bundle = await startClientBundle();
    const { id } = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    const stop = new AbortController();
    const waiting = bundle.client.waitFor(id, { signal: stop.signal });
    const ended = expect(waiting).rejects.toMatchObject({ code: ErrorCode.WAIT_TIMEOUT });
    await listening(bundle);
    using started = new Lived();
    stop.abort();
    await ended;
    expect(started.ms).toBeLessThan(1_000);
    const again = bundle.client.waitFor(id, { signal: stop.signal });
    await expect(again).rejects.toMatchObject({ code: ErrorCode.WAIT_TIMEOUT });
  });

  it("knows that there is no such job, and does not repeat what may be a person's number", async () => {
    await using bundle = await startClientBundle();
    const unknown = { code: ErrorCode.UNKNOWN_JOB };
    await expect(bundle.client.waitFor("order-1")).rejects.toMatchObject({
      ...unknown,
      message: "there is no job order-1, or its record is past its retention",
    });
    for (const id of ["999999990019", "a 1", "9123456789"]) {
      await expect(bundle.client.waitFor(id)).rejects.toMatchObject({
        ...unknown,
        message: "there is no such job, or its record is past its retention",
      });
    }
  });

  it("ends when the client is closed meanwhile", async () => {
    await using bundle = await startClientBundle();
    const { id } = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    const ended = expect(bundle.client.waitFor(id)).rejects.toMatchObject({ code: ErrorCode.CLOSED });
    await listening(bundle);
    using started = new Lived();
    await bundle.client.close();
    await ended;
    expect(started.ms).toBeLessThan(1_000);
  });
});

describe("a client that is closed", () => {
  it("says so to whatever is under way, and never that Redis cannot be reached", async () => {
    await using bundle = await startClientBundle();
    const { id } = await bundle.client.submit("eko.mobile-otp", MOBILE_INPUT);
    const codes = new Set<unknown>();
    for (let turns = 0; turns < 60; turns += 1) {
      const client = bundle.newClient();
      await client.get(id);
      const untilClosed = async (call: () => Promise<unknown>): Promise<void> => {
        try {
          for (;;) await call();
        } catch (error) {
          codes.add((error as SatyapanError).code);
        }
      };
      const calls = [
        untilClosed(async () => await client.get(id)),
        untilClosed(async () => await client.explain(id)),
        untilClosed(async () => await client.submit("eko.mobile-otp", MOBILE_INPUT, { id: `job-${turns}` })),
        untilClosed(async () => await client.waitFor(id)),
      ];
      for (let turn = 0; turn < turns % 6; turn += 1) await nextTurn();
      await client.close();
      await Promise.all(calls);
    }
    expect([...codes]).toEqual([ErrorCode.CLOSED]);
  });
});

describe("waitForAll", () => {
  const input = (index: number) => ({ mobile: `912345678${index}`, csp_id: "agent-1" });
  const patience = new Patience({}, Date.now);

  it("tells of each that settles, also before it was called, and ends with the last", async () => {
    await using bundle = await startClientBundle();
    const { client } = bundle;
    await client.submitMany("eko.mobile-otp", [input(1), input(2)], { id: "b" });
    await bundle.begin("b-1", "eko");
    await bundle.finish("b-1", "eko", "succeeded");
    const seen: number[] = [];
    const { promise: first, resolve } = Promise.withResolvers<void>();
    const onSettled = (count: number): void => {
      seen.push(count);
      resolve();
    };
    const options = { timeoutMs: 30_000, signal: AbortSignal.timeout(60_000), patience, onSettled };
    const waiting = client.waitForAll("eko.mobile-otp", ["b-1", "b-2"], options);
    await first;
    await bundle.begin("b-2", "eko");
    await bundle.finish("b-2", "eko", "rejected");
    await waiting;
    expect(seen).toEqual([1, 2]);
  });

  it("ends when the time is up, and when it is aborted", async () => {
    await using bundle = await startClientBundle();
    const { client } = bundle;
    await client.submitMany("eko.mobile-otp", [input(1)], { id: "b" });
    await client.waitForAll("eko.mobile-otp", ["b-1"], {
      timeoutMs: 50,
      signal: AbortSignal.timeout(60_000),
      patience,
    });
    await client.waitForAll("eko.mobile-otp", ["b-1"], {
      timeoutMs: 60_000,
      signal: AbortSignal.timeout(50),
      patience,
    });
    expect(await client.get("b-1")).toMatchObject({ state: "queued" });
  });
});
