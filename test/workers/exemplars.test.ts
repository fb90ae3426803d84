import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { Monitoring } from "../../drill/monitoring.ts";
import { madeUpMobile } from "../../simulator/people.ts";
import { startCollector } from "../support/collector.ts";
import { freePort } from "../support/free-port.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { startWorkerBundle } from "../support/worker.ts";

function hasPrometheus(): boolean {
  try {
    execFileSync("prometheus", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

interface Exemplars {
  readonly data: readonly { readonly exemplars: readonly { readonly labels: { readonly trace_id: string } }[] }[];
}

describe.runIf(hasPrometheus())("a real Prometheus", () => {
  it("takes a traced worker's page as OpenMetrics, with the trace of a call at its bucket, and counters as before", async () => {
    await using collector = await startCollector();
    await using bundle = await startWorkerBundle({ env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint } });
    await using place = await makeTempDir();
    const { metricsPort } = await bundle.startWorker();
    await using monitoring = await Monitoring.start({
      ...{ folder: place.path, ports: { prometheus: await freePort(), alertmanager: 0 }, intervalS: 1, pager: null },
      ...{ workers: [`127.0.0.1:${metricsPort}`], env: { PATH: "/usr/bin:/bin" } },
    });
    const { id } = await bundle.client.submit("eko.mobile-otp", { mobile: madeUpMobile(1), csp_id: "agent-1" });
    await bundle.client.waitFor(id);
    const traceId = (await bundle.client.get(id))?.trace_id;
    const query = new URLSearchParams({
      query: "satyapan_call_duration_seconds_bucket",
      ...{ start: String(Date.now() / 1_000 - 600), end: String(Date.now() / 1_000 + 600) },
    });
    const exemplars = async (): Promise<string[]> => {
      const reply = await fetch(`${monitoring.url}/api/v1/query_exemplars?${query.toString()}`);
      const { data } = (await reply.json()) as Exemplars;
      return data.flatMap((series) => series.exemplars.map(({ labels }) => labels.trace_id));
    };
    await expect.poll(exemplars).toContain(traceId);
    await expect
      .poll(async () => (await monitoring.query('sum(satyapan_calls_total{outcome="succeeded"}) == 1')).length)
      .toBe(1);
    expect(await monitoring.query("up == 1")).toHaveLength(1);
    const plain = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    expect(plain).toMatch(/^# TYPE satyapan_calls_total counter$/m);
    expect(plain).not.toMatch(/trace_id|# EOF/);
  });
});
