import { describe, expect, it } from "vitest";
import { madeUpAadhaar, madeUpMobile } from "../../simulator/people.ts";
import { AuditLog } from "../../src/privacy/audit/log.ts";
import { tracePlaceOf } from "../../src/records/trace-place.ts";
import { Secret } from "../../src/secrets/secret.ts";
import type { TracingSettings } from "../../src/telemetry/tracing/settings.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { type CollectedSpan, type Collector, startCollector } from "../support/collector.ts";
import { samplesOf } from "../support/exposition.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";
import { Lived } from "../support/lived.ts";

const settingsOf = (endpoint: string, more: Partial<TracingSettings> = {}): { tracing: TracingSettings } => ({
  tracing: { endpoint, headers: null, serviceName: "kyc", share: 1, ...more },
});

const submit = async ({ client }: WorkerBundle, person: number) =>
  (await client.submit("eko.mobile-otp", { mobile: madeUpMobile(person), csp_id: "agent-1" })).id;

/** The trace as a tree, a line for each span. */
function tree(spans: readonly CollectedSpan[], parentId = "", depth = 0): string[] {
  return spans
    .filter((span) => span.parentId === parentId)
    .toSorted((one, other) => one.startedAt - other.startedAt)
    .flatMap((span) => [`${"  ".repeat(depth)}${span.name}`, ...tree(spans, span.spanId, depth + 1)]);
}

const named = (collector: Collector, name: string): CollectedSpan | undefined =>
  collector.spans.find((span) => span.name === name);

describe("the trace of a job", () => {
  it("goes from its submission over attempts and calls to its end, each with what it came to", async () => {
    await using bundle = await startWorkerBundle({ simulator: { faults: [{ fault: "temporary-failure", times: 1 }] } });
    await using collector = await startCollector();
    await bundle.startWorker(settingsOf(collector.endpoint));
    const id = await submit(bundle, 1);
    const record = await bundle.client.waitFor(id);
    await expect.poll(() => collector.spans.length).toBe(5);
    expect(tree(collector.spans)).toEqual(["job eko.mobile-otp", "  attempt", "    POST", "  attempt", "    POST"]);
    expect(new Set(collector.spans.map(({ traceId, service }) => `${traceId} ${service}`)).size).toBe(1);
    const job = named(collector, "job eko.mobile-otp");
    expect(job).toMatchObject({ startedAt: Date.parse(record.created_at), endedAt: Date.parse(record.updated_at) });
    expect(job?.attributes).toEqual({
      ...{ "satyapan.job": id, "satyapan.operation": "eko.mobile-otp", "satyapan.lane": "interactive" },
      "satyapan.state": "succeeded",
    });
    const attempts = collector.spans.filter(({ name }) => name === "attempt");
    expect(attempts.map(({ attributes, isFailed }) => [attributes["satyapan.outcome"], isFailed])).toEqual([
      ["unavailable", true],
      ["succeeded", false],
    ]);
    const server = { "server.address": "127.0.0.1", "server.port": Number(bundle.settings.eko?.baseUrl.port) };
    const client = { "http.request.method": "POST", ...server };
    expect(collector.spans.filter(({ kind }) => kind === "client").map(({ attributes }) => attributes)).toEqual([
      { ...client, "http.response.status_code": 200 },
      { ...client, "http.response.status_code": 200 },
    ]);
    const line = bundle.log.find((text) => text.includes("attempt finished") && text.includes(id)) ?? "";
    expect((JSON.parse(line) as { trace_id: string }).trace_id).toBe(job?.traceId);
  });
});

describe("the trace of a row", () => {
  it("is the row's own, names its batch, and is found by whoever knows both", async () => {
    await using bundle = await startWorkerBundle();
    await using collector = await startCollector();
    await bundle.startWorker(settingsOf(collector.endpoint));
    const batches = new BatchBundle(bundle.redis, bundle.settings);
    const { id } = await batches.submit(batches.rows(3, madeUpMobile));
    await expect.poll(() => collector.spans.filter(({ name }) => name === "job eko.mobile-otp")).toHaveLength(3);
    for (const row of [1, 2, 3]) {
      const { traceId } = tracePlaceOf(`${id}-${row}`, null, 1);
      const own = collector.spans.filter((span) => span.traceId === traceId);
      expect(tree(own)).toEqual(["job eko.mobile-otp", "  attempt", "    POST"]);
      expect(own.find(({ parentId }) => parentId === "")?.attributes).toMatchObject({ "satyapan.batch": id });
    }
  });
});

describe("the trace of a job that nobody called", () => {
  it("is the time from its submission to its deadline", async () => {
    await using bundle = await startWorkerBundle();
    await using collector = await startCollector();
    const input = { mobile: madeUpMobile(1), csp_id: "agent-1" };
    const { id, created_at } = await bundle.client.submit("eko.mobile-otp", input, { expiresIn: 1 });
    await bundle.startWorker(settingsOf(collector.endpoint));
    expect((await bundle.client.waitFor(id)).state).toBe("expired");
    await expect.poll(() => collector.spans.length).toBe(1);
    expect(collector.spans[0]).toMatchObject({ startedAt: Date.parse(created_at), parentId: "" });
    expect(collector.spans[0]?.attributes).toMatchObject({ "satyapan.job": id, "satyapan.state": "expired" });
  });
});

describe("the trace of an onboarding", () => {
  it("is one from its beginning over steps and the code that is awaited to its end, also through other workers", async () => {
    await using bundle = await startWorkerBundle({ simulator: { checkSenderReference: true } });
    await using collector = await startCollector();
    const first = await bundle.startWorker(settingsOf(collector.endpoint));
    const [mobile, aadhaar] = [madeUpMobile(7), madeUpAadhaar(7)];
    const person = {
      customer_id: mobile,
      aadhaar,
      name: "Asha Example",
      dob: "1990-01-31",
      residence_address: "1 Road",
    };
    const traceparent = `00-${"5".repeat(32)}-${"6".repeat(16)}-01`;
    const { id } = await bundle.client.onboard("eko.dmt-levin", person, { traceparent });
    const isAwaited = ({ state }: { state: string }): boolean => state === "awaiting_otp";
    await bundle.client.onboardings.waitUntil(id, isAwaited, { timeoutMs: 60_000 });
    await first.stop();
    await bundle.startWorker(settingsOf(collector.endpoint));
    const { otp } = await bundle.simulator.waitForOtp(aadhaar);
    await bundle.client.answer(id, otp);
    await bundle.client.onboardings.waitFor(id);
    await expect.poll(() => named(collector, "onboarding eko.dmt-levin")).toBeDefined();
    const call = ["    attempt", "      GET"];
    const posted = ["    attempt", "      POST"];
    expect(tree(collector.spans, "6".repeat(16))).toEqual([
      "onboarding eko.dmt-levin",
      ...["  job eko.dmt-levin.sender", ...call],
      ...["  job eko.dmt-levin.aadhaar-otp", ...posted],
      "  code awaited",
      ...["  job eko.dmt-levin.aadhaar-otp.verify", ...posted],
    ]);
    expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set(["5".repeat(32)]));
    // Nothing of the person, nor of any URL, whatever its form.
    const text = Buffer.concat(collector.bodies).toString("latin1");
    for (const value of [mobile, aadhaar, otp, "Asha", "1990-01-31", "1 Road", "/customer/payment"]) {
      expect(text).not.toContain(value);
    }
    expect((await bundle.client.onboardings.get(id))?.trace_id).toBeUndefined(); // this client knows of no collector
  });
});

describe("a trace that is handed in", () => {
  it("goes on under the submitter's span, is shown, and is in the audit log", async () => {
    await using collector = await startCollector();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_SERVICE_NAME: "kyc" };
    await using bundle = await startWorkerBundle({ env });
    await bundle.startWorker();
    const [traceId, spanId] = ["a".repeat(32), "b".repeat(16)];
    const input = { mobile: madeUpMobile(3), csp_id: "agent-1" };
    const { id } = await bundle.client.submit("eko.mobile-otp", input, { traceparent: `00-${traceId}-${spanId}-01` });
    await bundle.client.waitFor(id);
    expect((await bundle.client.get(id))?.trace_id).toBe(traceId);
    await bundle.client.answer(id, (await bundle.simulator.waitForOtp(input.mobile)).otp);
    await expect.poll(() => named(collector, "job eko.mobile-otp.verify")).toBeDefined();
    expect(named(collector, "job eko.mobile-otp")).toMatchObject({ traceId, parentId: spanId });
    const root = named(collector, "job eko.mobile-otp")?.spanId;
    expect(named(collector, "job eko.mobile-otp.verify")).toMatchObject({ traceId, parentId: root });
    expect(named(collector, "code awaited")).toMatchObject({ traceId, parentId: root });
    const log = new AuditLog(bundle.redis.client());
    const calls = async () =>
      (await log.after("0", 100)).flatMap(({ lines }) => lines).filter((line) => line.includes('"kind":"call"'));
    await expect.poll(calls).toHaveLength(2);
    for (const line of await calls()) expect(line).toContain(`"trace_id":"${traceId}"`);
  });

  it("is not kept where its submitter does not keep it, and one that is none is refused", async () => {
    await using collector = await startCollector();
    await using bundle = await startWorkerBundle({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint } });
    const running = await bundle.startWorker();
    const input = { mobile: madeUpMobile(4), csp_id: "agent-1" };
    const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-00`;
    const { id } = await bundle.client.submit("eko.mobile-otp", input, { traceparent });
    const record = await bundle.client.waitFor(id);
    await running.stop();
    expect([record.trace_id, collector.spans, bundle.log.join("").includes('"trace_id"')]).toEqual([
      undefined,
      [],
      false,
    ]);
    await expect(bundle.client.submit("eko.mobile-otp", input, { traceparent: "00-1-2-3" })).rejects.toMatchObject({
      code: "bad-input",
      message: expect.stringMatching(/^traceparent: must be/) as string,
    });
  });
});

describe("a collector", () => {
  it("that is dead or says no costs a line of the log, spans that are counted, and no job anything", async () => {
    await using bundle = await startWorkerBundle();
    await using collector = await startCollector();
    collector.answer = 400;
    const worker = await bundle.startWorker(settingsOf(collector.endpoint));
    const ids = await Promise.all([1, 2, 3].map(async (person) => await submit(bundle, person)));
    for (const id of ids) expect((await bundle.client.waitFor(id)).state).toBe("succeeded");
    const dropped = async (): Promise<number> => {
      const page = await (await fetch(`http://127.0.0.1:${worker.metricsPort}/metrics`)).text();
      return samplesOf(page).get('satyapan_spans_dropped_total{reason="failed"}') ?? 0;
    };
    await expect.poll(dropped).toBe(9);
    const lines = bundle.log.filter((line) => line.includes("spans cannot be exported"));
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      expect.objectContaining({ level: "warn", code: "HTTP_400" }),
    ]);
    collector.answer = 200;
    await bundle.client.waitFor(await submit(bundle, 4));
    await expect.poll(() => bundle.log.filter((line) => line.includes("spans are exported again"))).toHaveLength(1);
    expect(await worker.stop()).toBe(true);
  });

  it("that never answers holds up neither a job nor a stop", async () => {
    await using bundle = await startWorkerBundle();
    await using collector = await startCollector();
    collector.answer = null;
    const worker = await bundle.startWorker(settingsOf(collector.endpoint));
    expect((await bundle.client.waitFor(await submit(bundle, 1))).state).toBe("succeeded");
    await expect.poll(() => collector.asked).toBeGreaterThan(0);
    expect((await bundle.client.waitFor(await submit(bundle, 2))).state).toBe("succeeded");
    using lived = new Lived();
    expect(await worker.stop()).toBe(true);
    expect(lived.ms).toBeLessThan(10_000);
  });

  it.each(["localhost:4318", "ftp://collector", "no address"])(
    "whose address is wrong (%s) is one line of the log, and jobs run",
    async (endpoint) => {
      await using bundle = await startWorkerBundle();
      await bundle.startWorker(settingsOf(endpoint));
      expect((await bundle.client.waitFor(await submit(bundle, 1))).state).toBe("succeeded");
      const lines = bundle.log.filter((line) => line.includes("tracing stays off"));
      expect(lines).toHaveLength(1);
    },
  );

  it("is given its headers, and nothing is sent of a trace that is not kept", async () => {
    await using bundle = await startWorkerBundle();
    await using collector = await startCollector();
    const headers = new Secret("Authorization=Basic%20a2V5,x-tenant=t1");
    const keeping = await bundle.startWorker(settingsOf(collector.endpoint, { headers }));
    await bundle.client.waitFor(await submit(bundle, 1));
    await expect.poll(() => collector.spans.length).toBe(3);
    expect(collector.headers[0]).toMatchObject({ authorization: "Basic a2V5", "x-tenant": "t1" });
    await keeping.stop();
    const sparing = await bundle.startWorker(settingsOf(collector.endpoint, { share: 0 }));
    await bundle.client.waitFor(await submit(bundle, 2));
    await sparing.stop();
    expect(collector.spans).toHaveLength(3);
  });
});
