import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { Program } from "./program.ts";

const ROOT = new URL("../", import.meta.url);
const READY_MS = 30_000;

export interface MonitoringOptions {
  readonly folder: string;
  /** Where Prometheus and Alertmanager listen. */
  readonly ports: { readonly prometheus: number; readonly alertmanager: number };
  /** Of scrapes and rules, in seconds; shipped are 15. */
  readonly intervalS: number;
  /** `host:port` of each worker. */
  readonly workers: readonly string[];
  /** Whom Alertmanager calls; null: there is no Alertmanager. */
  readonly pager: string | null;
  readonly env: Readonly<Record<string, string>>;
}

const Answer = z.object({
  status: z.string(),
  error: z.string().optional(),
  data: z.object({ result: z.array(z.unknown()) }).optional(),
});

/** Prometheus with the shipped rules, and Alertmanager with the shipped inhibitions: only times and addresses are changed. */
export class Monitoring implements AsyncDisposable {
  readonly url: string;
  readonly #alertmanager: string;
  readonly #opened: AsyncDisposableStack;

  private constructor(url: string, alertmanager: string, opened: AsyncDisposableStack) {
    this.url = url;
    this.#alertmanager = alertmanager;
    this.#opened = opened;
  }

  static async start(options: MonitoringOptions): Promise<Monitoring> {
    const { folder, ports, env, pager } = options;
    await using opened = new AsyncDisposableStack();
    await writeFile(join(folder, "prometheus.yml"), await prometheusYaml(options));
    const run = (program: string, args: readonly string[]): Program =>
      opened.use(new Program({ program, args, env, cwd: folder, logFile: join(folder, `${program}.log`) }));
    const listen = (port: number): string => `--web.listen-address=127.0.0.1:${port}`;
    run("prometheus", [
      "--config.file=prometheus.yml",
      "--storage.tsdb.path=tsdb",
      "--enable-feature=exemplar-storage",
      // Rules are told as soon as they fire; shipped is 1 min.
      "--rules.alert.resend-delay=5s",
      listen(ports.prometheus),
    ]);
    if (pager !== null) {
      await writeFile(join(folder, "alertmanager.yml"), await alertmanagerYaml(pager));
      const args = ["--config.file=alertmanager.yml", "--storage.path=alerts", "--cluster.listen-address="];
      run("prometheus-alertmanager", [...args, listen(ports.alertmanager)]);
    }
    const url = `http://127.0.0.1:${ports.prometheus}`;
    const alertmanager = `http://127.0.0.1:${ports.alertmanager}`;
    await answers(`${url}/-/ready`);
    if (pager !== null) await answers(`${alertmanager}/-/ready`);
    return new Monitoring(url, alertmanager, opened.move());
  }

  /** What an instant query gives. Throws where Prometheus does not take it. */
  async query(expr: string): Promise<readonly unknown[]> {
    const reply = await fetch(`${this.url}/api/v1/query?${new URLSearchParams({ query: expr }).toString()}`);
    const { status, error, data } = Answer.parse(await reply.json());
    if (status !== "success") throw new Error(`${error ?? status}: ${expr}`);
    return data?.result ?? [];
  }

  /** The names of alerts that fire and are silent beside another. */
  async silenced(): Promise<string[]> {
    const reply = await fetch(`${this.#alertmanager}/api/v2/alerts?inhibited=true&active=false&silenced=false`);
    const alerts = z.array(z.object({ labels: z.record(z.string(), z.string()) })).parse(await reply.json());
    return [...new Set(alerts.map(({ labels }) => (labels["alertname"] ?? "").replace("Satyapan", "")))].toSorted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

async function answers(url: string): Promise<void> {
  const begun = Date.now();
  while (Date.now() - begun < READY_MS) {
    const reply = await fetch(url).catch(() => null);
    if (reply?.ok === true) return;
    await sleep(100);
  }
  throw new Error(`${url} does not answer: is the program installed (Debian: prometheus, prometheus-alertmanager)?`);
}

async function prometheusYaml({ ports, intervalS, workers, pager }: MonitoringOptions): Promise<string> {
  const shipped = parse(await readFile(new URL("deploy/prometheus/prometheus.yml", ROOT), "utf8")) as Shipped;
  const every = `${intervalS}s`;
  return stringify({
    ...shipped,
    global: { ...shipped.global, scrape_interval: every, scrape_timeout: every, evaluation_interval: every },
    rule_files: [fileURLToPath(new URL("deploy/prometheus/rules.yml", ROOT))],
    alerting: {
      ...shipped.alerting,
      alertmanagers: pager === null ? [] : [{ static_configs: [{ targets: [`127.0.0.1:${ports.alertmanager}`] }] }],
    },
    scrape_configs: [{ job_name: "worker", static_configs: [{ targets: workers }] }],
  });
}

interface Shipped {
  readonly global: Readonly<Record<string, unknown>>;
  readonly alerting: Readonly<Record<string, unknown>>;
}

async function alertmanagerYaml(pager: string): Promise<string> {
  const shipped = parse(await readFile(new URL("deploy/alertmanager/alertmanager.yml", ROOT), "utf8")) as Readonly<
    Record<string, unknown>
  > & { readonly route: Readonly<Record<string, unknown>> };
  const webhook_configs = [{ url: pager, send_resolved: false }];
  return stringify({
    ...shipped,
    route: { ...shipped.route, group_wait: "3s", group_interval: "5s" },
    receivers: ["on-call", "tickets"].map((name) => ({ name, webhook_configs })),
  });
}
