import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { DASHBOARDS } from "../../deploy/grafana/dashboards.ts";
import { ALERTS } from "../../deploy/prometheus/rules.ts";
import { manifest, service } from "./compose-file.ts";
import { ComposeProject, docker, servicesHere, whyNoEngine } from "./engine.ts";

const reason = await whyNoEngine();
/** Building, pulling and the health checks' first interval. */
const START_MS = 600_000;
const JOB_MS = 60_000;

const Diagnosis = z.object({
  findings: z.array(z.object({ status: z.string(), check: z.string(), detail: z.string() })),
});

const QueryResult = z.object({
  data: z.object({ result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })) }),
});
const Rules = z.object({ data: z.object({ groups: z.array(z.object({ rules: z.array(z.unknown()) })) }) });
const Alertmanagers = z.object({ data: z.object({ activeAlertmanagers: z.array(z.object({ url: z.string() })) }) });
const Batches = z.array(z.looseObject({ name: z.string(), state: z.string(), rows: z.number() }));

describe.skipIf(reason !== null)(
  `docker-compose.yml, built and started${reason === null ? "" : ` (skipped: ${reason})`}`,
  () => {
    let project: ComposeProject;
    let services: string[];

    beforeAll(async () => {
      services = await servicesHere();
      project = await ComposeProject.open();
      await project.start(services);
    }, START_MS);

    afterAll(async () => {
      await project[Symbol.asyncDispose]();
    }, START_MS);

    /** What the service answers, as JSON. */
    const ask = async (name: string, port: number, path: string): Promise<unknown> =>
      await (await fetch(new URL(path, await project.url(name, port)))).json();

    const query = async (expr: string): Promise<string | undefined> => {
      const found = await ask("prometheus", 9090, `/api/v1/query?query=${encodeURIComponent(expr)}`);
      return QueryResult.parse(found).data.result[0]?.value[1];
    };

    it("is healthy in every service, and has two workers", async () => {
      const output = await project.run("ps", "--format", "{{.Service}} {{.Health}}");
      const wanted = [...services, "worker"].map((name) => `${name} healthy`);
      expect(output.trim().split("\n").toSorted()).toEqual(wanted.toSorted());
    });

    it("runs the worker as an unprivileged user that can write nowhere but /tmp", async () => {
      const script = `
      const fs = require("node:fs");
      const can = (file) => { try { fs.writeFileSync(file, ""); return true } catch { return false } };
      const status = fs.readFileSync("/proc/self/status", "utf8");
      console.log(JSON.stringify({
        uid: process.getuid(), capabilities: /CapEff:\\s*(\\w+)/.exec(status)[1],
        app: can("/app/x"), key: can("/run/simulator/x"), tmp: can("/tmp/x"),
      }));`;
      expect(JSON.parse(await project.inWorker(script))).toEqual({
        uid: 1000,
        capabilities: "0".repeat(16),
        app: false,
        key: false,
        tmp: true,
      });
    });

    it("has nothing in its image but what runs: no test, no development dependency", async () => {
      const script = `
      const fs = require("node:fs");
      const modules = fs.readdirSync("/app/node_modules").flatMap((name) =>
        name.startsWith("@") ? fs.readdirSync("/app/node_modules/" + name).map((one) => name + "/" + one) : [name]);
      console.log(JSON.stringify([fs.readdirSync("/app"), modules]));`;
      const [app, modules] = z
        .tuple([z.array(z.string()), z.array(z.string())])
        .parse(JSON.parse(await project.inWorker(script)));
      expect(app.toSorted()).toEqual([
        "bin",
        "node_modules",
        "package.json",
        "producers",
        "simulator",
        "src",
        "workers",
      ]);
      const { dependencies, devDependencies } = manifest();
      for (const name of Object.keys(dependencies)) expect(modules).toContain(name);
      for (const name of Object.keys(devDependencies)) expect(modules).not.toContain(name);
    });

    it("keeps no secret in its image, its history, or the environment that `docker inspect` shows", async () => {
      const { image } = service("worker");
      const workers = (await project.run("ps", "--quiet", "worker")).trim().split("\n");
      const redis = (await project.run("ps", "--quiet", "redis")).trim();
      const shown = [
        await docker("image", "inspect", image),
        await docker("image", "history", "--no-trunc", image),
        await docker("inspect", ...workers, redis),
      ].join("\n");
      expect(await docker("image", "inspect", "--format", "{{json .Config.Env}}", image)).not.toMatch(
        /SATYAPAN_|EKO_|DEEPVUE_|REDIS_/,
      );
      for (const [name, secret] of await project.secrets()) expect(shown.includes(secret), name).toBe(false);
      const env = "console.log(Object.values(process.env).join('\\n'))";
      const inside = await project.inWorker(env);
      for (const [name, secret] of await project.secrets()) expect(inside.includes(secret), name).toBe(false);
    });

    it("leaves no core file, opens no debugger, and has no package manager in it", async () => {
      const script = `
      const fs = require("node:fs");
      const core = /^Max core file size +(\\S+) +(\\S+)/m.exec(fs.readFileSync("/proc/1/limits", "utf8")).slice(1);
      const npm = ["npm", "npx", "yarn", "corepack"].filter((name) => fs.existsSync("/usr/local/bin/" + name));
      console.log(JSON.stringify({ core, npm, options: process.env.NODE_OPTIONS }));`;
      expect(JSON.parse(await project.inWorker(script))).toEqual({
        core: ["0", "0"],
        npm: [],
        options: "--disable-sigusr1 --report-exclude-env",
      });
    });

    it("keeps jobs in an append-only file, refuses to evict them, and gives each role its own user", async () => {
      const { findings } = Diagnosis.parse(JSON.parse(await project.operate("doctor", "--json")));
      const details = findings.map(({ status, check, detail }) => `${status} ${check}: ${detail}`);
      expect(details).toContainEqual(expect.stringMatching(/^ok redis: .*noeviction, AOF on$/));
      expect(details).toContainEqual(expect.stringMatching(/^ok redis user: satyapan-operator may .*operate$/));
      const anyone = await project.run("exec", "-T", "redis", "redis-cli", "get", "bull:{eko-0}:meta");
      expect(anyone).toContain("NOPERM");
    });

    it("runs a job against the simulator, and Prometheus counts its call", { timeout: JOB_MS }, async () => {
      const input = JSON.stringify({ customer_id: "9123456780" });
      const args = ["submit", "eko.dmt-levin.sender", "--input", input, "--wait", "20s", "--json"];
      const record: unknown = JSON.parse(await project.operate(...args));
      expect(record).toMatchObject({ operation: "eko.dmt-levin.sender", state: "succeeded" });
      const counted = 'sum(satyapan_calls_total{operation="eko.dmt-levin.sender",outcome="succeeded"})';
      await expect.poll(async () => await query(counted), { interval: 1_000, timeout: JOB_MS / 2 }).toBe("1"); // the next scrape
    });

    it("runs a batch, and people who verify their numbers, to be seen", { timeout: JOB_MS }, async () => {
      const list = async (): Promise<unknown> =>
        Batches.parse(JSON.parse(await project.operate("batch", "list", "--json")));
      await expect
        .poll(list, { interval: 1_000, timeout: JOB_MS / 2 })
        .toContainEqual(expect.objectContaining({ rows: 400 }));
      const verified = 'sum(satyapan_calls_total{operation="eko.mobile-otp.verify",outcome="succeeded"}) > bool 0';
      await expect.poll(async () => await query(verified), { interval: 1_000, timeout: JOB_MS }).toBe("1");
    });

    it("has every worker scraped, and all rules loaded", async () => {
      await expect
        .poll(async () => await query('sum(up{job="worker"})'), { interval: 1_000, timeout: JOB_MS / 2 })
        .toBe("2");
      const { data } = Rules.parse(await ask("prometheus", 9090, "/api/v1/rules"));
      expect(data.groups.flatMap(({ rules }) => rules)).toHaveLength(ALERTS.length);
    });

    it("shows in its pager what Prometheus and Alertmanager tell", { timeout: JOB_MS }, async (context) => {
      if (!services.includes("alertmanager")) context.skip("the image of Alertmanager cannot be had");
      const { data } = Alertmanagers.parse(await ask("prometheus", 9090, "/api/v1/alertmanagers"));
      expect(data.activeAlertmanagers.map(({ url }) => url)).toEqual(["http://alertmanager:9093/api/v2/alerts"]);
      const alert = {
        labels: { alertname: "SatyapanTried", severity: "page" },
        annotations: { summary: "Only a test" },
      };
      const posted = await fetch(new URL("/api/v2/alerts", await project.url("alertmanager", 9093)), {
        ...{ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify([alert]) },
      });
      expect(posted.status).toBe(200);
      const told = async (): Promise<unknown> => await ask("pager", 9465, "/pages");
      await expect
        .poll(told, { interval: 1_000, timeout: JOB_MS / 2 })
        .toContainEqual(expect.objectContaining({ alert: "Tried", status: "firing", summary: "Only a test" }));
      expect(await project.run("logs", "--no-color", "pager")).toContain("PAGE Tried: Only a test");
    });

    it("shows every dashboard in Grafana to anyone, fed by Prometheus, and lets nobody change it", async (context) => {
      if (!services.includes("grafana")) context.skip("the image of Grafana is neither here nor can it be pulled");
      for (const [uid, { title }] of Object.entries(DASHBOARDS)) {
        const found = await ask("grafana", 3000, `/api/dashboards/uid/${uid}`);
        expect(found).toMatchObject({ dashboard: { title }, meta: { canEdit: false, provisioned: true } });
      }
      const asked = "/api/datasources/proxy/uid/satyapan-prometheus/api/v1/query?query=vector(1)";
      expect(await ask("grafana", 3000, asked)).toMatchObject({ status: "success" });
    });

    it("gives a stopping worker the time to end by itself", { timeout: JOB_MS }, async () => {
      const ids = (await project.run("ps", "--quiet", "worker")).trim().split("\n");
      await project.run("stop", "worker");
      const codes = await docker("inspect", "--format", "{{.State.ExitCode}}", ...ids);
      expect(codes.trim().split("\n")).toEqual(["0", "0"]);
    });
  },
);
