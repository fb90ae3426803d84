import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { describe, expect, it } from "vitest";
import { expectedSecretKey } from "../../simulator/eko/signature.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import type { RunningWorker } from "../../workers/run-worker.ts";
import { samplesOf } from "../support/exposition.ts";
import { freePort } from "../support/free-port.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

const AGE = "satyapan_heartbeat_age_seconds";
const TOOK = "satyapan_heartbeat_seconds";

async function startBeating(bundle: WorkerBundle, url: string): Promise<RunningWorker> {
  return await bundle.startWorker({ worker: { ...bundle.settings.worker, heartbeatBaseUrl: new URL(url) } });
}

async function scrape({ metricsPort }: RunningWorker): Promise<Map<string, number>> {
  return samplesOf(await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text());
}

async function keysOf({ redis }: WorkerBundle, pattern: string): Promise<string[]> {
  return await redis.client().keys(pattern);
}

describe("a heartbeat", () => {
  it("goes the whole way, in a ticket, signed by a key that is no provider's, and its age is a metric of each worker", async () => {
    await using bundle = await startWorkerBundle();
    const requests: { headers: Record<string, unknown>; url: string; body: string }[] = [];
    const tickets: (string | null)[] = [];
    const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const [record = ""] = await keysOf(bundle, "satyapan:{eko-99}:job:*");
      tickets.push(await bundle.redis.client().hget(record, "ticket"));
      const body = Buffer.concat(await request.toArray()).toString();
      requests.push({ headers: request.headers, url: request.url ?? "", body });
      response.setHeader("content-type", "application/json").end('{"status":0,"response_status_id":0}');
    };
    const server = createServer((request, response) => void answer(request, response));
    const port = await freePort();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    const first = await startBeating(bundle, `http://127.0.0.1:${port}/base`);
    const second = await startBeating(bundle, `http://127.0.0.1:${port}/base`);
    await expect.poll(async () => (await scrape(first)).get(TOOK)).toBeGreaterThan(0);
    for (const worker of [first, second]) expect((await scrape(worker)).get(AGE)).toBeLessThan(30);
    expect(requests.length % 2).toBe(0);
    expect(tickets[0]).toMatch(/^t-2i-/);
    const { headers, url, body } = requests[0] ?? { headers: {}, url: "", body: "" };
    expect(url).toBe("/base/heartbeat");
    expect(headers["developer_key"]).toBe("heartbeat");
    expect(headers["secret-key"]).toBe(expectedSecretKey("heartbeat", String(headers["secret-key-timestamp"])));
    expect(Object.keys(JSON.parse(body) as object)).toEqual(["client_ref_id"]);
    server.close();
    server.closeAllConnections();
  });

  it("counts nowhere, uses up nobody's quota, is in no audit log, and is gone in minutes", async () => {
    await using bundle = await startWorkerBundle();
    const worker = await startBeating(bundle, bundle.simulator.url);
    await expect.poll(async () => (await scrape(worker)).get(TOOK)).toBeGreaterThan(0);
    const samples = await scrape(worker);
    const counted =
      /^satyapan_(calls_total|jobs_settled|job_pickup\w+_count|jobs_submitted|audit_entries|quota_used|redis_data_lost)/;
    expect([...samples].filter(([name, count]) => counted.test(name) && count !== 0)).toEqual([]);
    expect([...samples.keys()].filter((name) => /heartbeat|eko-99/.test(name)).toSorted()).toEqual([AGE, TOOK]);
    expect(bundle.simulator.stats()).toMatchObject({ requests: 0, otps_sent: 0 });
    const records = await keysOf(bundle, "satyapan:{eko-99}:job:*");
    expect(records.length).toBeGreaterThanOrEqual(2);
    for (const key of records) {
      const ttl = await bundle.redis.client().pttl(key);
      expect(ttl).toBeGreaterThan(0);
      expect(ttl).toBeLessThanOrEqual(600_000);
    }
    expect(await keysOf(bundle, "satyapan:{eko-0}:job:*")).toEqual([]);
    expect(await keysOf(bundle, "satyapan:{eko-99}:audit*")).toEqual([]);
  });

  it("goes on while a provider is held, and no provider is held by its refusal", async () => {
    await using bundle = await startWorkerBundle();
    await bundle.client.gates.setQuota("eko", "0");
    const beating = await startBeating(bundle, bundle.simulator.url);
    await expect.poll(async () => (await scrape(beating)).get(TOOK)).toBeGreaterThan(0);
  });

  it("that gets no answer makes its age grow, and nothing else: jobs are taken", async () => {
    await using bundle = await startWorkerBundle();
    const worker = await startBeating(bundle, `http://127.0.0.1:${await freePort()}`);
    await expect.poll(async () => await keysOf(bundle, "satyapan:{eko-99}:job:*")).toHaveLength(2);
    const { id } = await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(1), csp_id: "agent1" });
    expect(await bundle.client.waitFor(id)).toMatchObject({ state: "succeeded" });
    const samples = await scrape(worker);
    expect(samples.get(AGE)).toBeGreaterThan(0);
    expect(samples.has(TOOK)).toBe(false);
    expect([...samples].filter(([name, value]) => name.startsWith("satyapan_provider_held") && value !== 0)).toEqual(
      [],
    );
    expect(samples.get("satyapan_worker_ready")).toBe(1);
  });

  it("is there only where it is asked for", async () => {
    await using bundle = await startWorkerBundle();
    const samples = await scrape(await bundle.startWorker());
    expect(samples.has(AGE)).toBe(false);
    expect(await keysOf(bundle, "*{eko-99}*")).toEqual([]);
  });

  it("is nobody's to submit", async () => {
    await using bundle = await startWorkerBundle();
    const submitted = bundle.client.submitUnchecked("eko.heartbeat", { beat: "1" });
    await expect(submitted).rejects.toThrow("unknown operation eko.heartbeat");
  });
});
