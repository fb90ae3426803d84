import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { DASHBOARDS } from "../../deploy/grafana/dashboards.ts";
import { fillIn } from "../../deploy/grafana/render/prometheus.ts";
import { panelData, renderDashboard } from "../../deploy/grafana/render/render.ts";
import { ALERTS } from "../../deploy/prometheus/rules.ts";
import { Monitoring } from "../../drill/monitoring.ts";
import { madeUpAadhaar, madeUpMobile } from "../../simulator/people.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { CONSENT } from "../support/client.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { startWorkerBundle } from "../support/worker.ts";

const INTERVAL_S = 1;
/** Long enough for rates over four scrapes, in ms. */
const FED_MS = 12_000;

/** Panels whose queries give nothing while all is well, or before somebody answers a code. */
const MAY_BE_EMPTY = new Set(["Alerts that fire A"]);

function hasPrometheus(): boolean {
  try {
    execFileSync("prometheus", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

describe.runIf(hasPrometheus())("on a real Prometheus that is fed by two live workers and the simulator", () => {
  it("no expression of any panel, variable or rule errs, and those that should have data have it", async () => {
    await using bundle = await startWorkerBundle({
      env: { DEEPVUE_QUOTA: "50/1s,1000/1d", EKO_QUOTA: "50/1s,5000/1h", OTP_COOLDOWN: "1s" },
    });
    await using place = await makeTempDir();
    const { settings, simulator } = bundle;
    const worker = { ...settings.worker, heartbeatBaseUrl: new URL(simulator.url) };
    const workers = [await bundle.startWorker({ worker }), await bundle.startWorker({ worker })];
    await using monitoring = await Monitoring.start({
      folder: place.path,
      ports: { prometheus: await freePort(), alertmanager: 0 },
      intervalS: INTERVAL_S,
      workers: workers.map(({ metricsPort }) => `127.0.0.1:${metricsPort}`),
      pager: null,
      env: { PATH: "/usr/bin:/bin" },
    });
    const begun = Date.now();
    const { client } = bundle;
    // More rows than end in the time, and every 20th is one that Eko says no to.
    const batches = new BatchBundle(bundle.redis, bundle.settings);
    await batches.submit(batches.rows(3_000, (row) => madeUpMobile(10_000 + row, row % 20 === 0 ? "998" : "000")));
    // Persons whose codes nobody asks for yet.
    const persons = batches.flowRows("eko.mobile", 5, (row) => ({
      mobile: madeUpMobile(20_000 + row),
      csp_id: "agent1",
    }));
    await batches.submit(persons, { flow: "eko.mobile" });
    for (let nth = 1; Date.now() - begun < FED_MS; nth++) {
      const mobile = madeUpMobile(nth);
      const { id } = await client.submit("eko.mobile-otp", { mobile, csp_id: "agent1" });
      const aadhaar = { aadhaar: madeUpAadhaar(nth), purpose: "Proof of panels", consent: CONSENT };
      await client.submit("deepvue.aadhaar-otp", aadhaar);
      const { otp } = await simulator.waitForOtp(mobile, { timeoutMs: 60_000 });
      await client.waitFor(id);
      const { id: verify } = await client.submit("eko.mobile-otp.verify", { of: id, otp });
      await client.waitFor(verify);
    }
    const to = Math.floor(Date.now() / 1_000);
    const range = { from: to - Math.ceil(FED_MS / 1_000), to, step: INTERVAL_S };
    const options = { url: monitoring.url, range, rateIntervalS: 4 * INTERVAL_S };
    const empty: string[] = [];
    for (const dashboard of Object.values(DASHBOARDS)) {
      for (const panel of dashboard.panels) {
        const { results } = await panelData(panel, options);
        for (const [nth, result] of results.entries()) {
          const name = `${panel.title} ${panel.targets?.[nth]?.refId}`;
          if (result.length === 0 && !MAY_BE_EMPTY.has(name)) empty.push(name);
        }
      }
      const picture = await renderDashboard(dashboard, options);
      expect(picture).toMatch(/^<svg .*<\/svg>\n$/s);
      expect(picture).not.toMatch(/NaN|undefined/);
      for (const { definition } of dashboard.templating.list) {
        const selector = /^label_values\((.+), \w+\)$/.exec(definition)?.[1] ?? "";
        expect((await monitoring.query(fillIn(selector, "1h", "1m"))).length, definition).toBeGreaterThan(0);
      }
    }
    expect(empty).toEqual([]);
    for (const { expr } of ALERTS) await monitoring.query(expr);
    expect(await monitoring.query('ALERTS{alertstate="firing"}')).toEqual([]);
    await expect(monitoring.query("sum by (")).rejects.toThrow(/parse error/); // so the test does check
  });
});
