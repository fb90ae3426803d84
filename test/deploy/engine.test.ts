import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
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

    it("is healthy in every service", async () => {
      const output = await project.run("ps", "--format", "{{.Service}} {{.Health}}");
      expect(output.trim().split("\n").toSorted()).toEqual(services.map((name) => `${name} healthy`).toSorted());
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
      console.log(JSON.stringify([fs.readdirSync("/app"), fs.readdirSync("/app/node_modules")]));`;
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
      for (const name of Object.keys(devDependencies)) expect(modules).not.toContain(name.split("/")[0]);
    });

    it("keeps no secret in its image, its history, or the environment that `docker inspect` shows", async () => {
      const { image } = service("worker");
      const worker = (await project.run("ps", "--quiet", "worker")).trim();
      const redis = (await project.run("ps", "--quiet", "redis")).trim();
      const shown = [
        await docker("image", "inspect", image),
        await docker("image", "history", "--no-trunc", image),
        await docker("inspect", worker, redis),
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
      const input = JSON.stringify({ mobile: "9123456780", csp_id: "C1" });
      const command = [
        "node",
        "bin/satyapan.js",
        "submit",
        "eko.mobile-otp",
        "--input",
        input,
        "--wait",
        "20s",
        "--json",
      ];
      const record: unknown = JSON.parse(await project.run("exec", "-T", "worker", ...command));
      expect(record).toMatchObject({ operation: "eko.mobile-otp", state: "succeeded" });

      const url = new URL("/api/v1/query", await project.url("prometheus", 9090));
      url.searchParams.set("query", 'satyapan_calls_total{operation="eko.mobile-otp",outcome="succeeded"}');
      const counted = async (): Promise<string | undefined> =>
        QueryResult.parse(await (await fetch(url)).json()).data.result[0]?.value[1];
      await expect.poll(counted, { interval: 1_000, timeout: JOB_MS / 2 }).toBe("1"); // the next scrape
    });

    it("shows the dashboard in Grafana to anyone, and lets nobody change it", async (context) => {
      if (!services.includes("grafana")) context.skip("the image of Grafana is neither here nor can it be pulled");
      const url = new URL("/api/dashboards/uid/satyapan", await project.url("grafana", 3000));
      const found: unknown = await (await fetch(url)).json();
      expect(found).toMatchObject({ dashboard: { title: "Satyapan" }, meta: { canEdit: false, provisioned: true } });
    });

    it("gives a stopping worker the time to end by itself", { timeout: JOB_MS }, async () => {
      const id = (await project.run("ps", "--quiet", "worker")).trim();
      await project.run("stop", "worker");
      expect((await docker("inspect", "--format", "{{.State.ExitCode}}", id)).trim()).toBe("0");
    });
  },
);
