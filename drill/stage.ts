import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdtemp, readFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Redis } from "ioredis";
import { type Client, createClient } from "../producers/index.ts";
import { Pager } from "../deploy/pager/pager.ts";
import { startSimulator, type Simulator } from "../simulator/simulator.ts";
import { Monitoring } from "./monitoring.ts";
import { Program } from "./program.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const MAIN = join(ROOT, "bin/main.ts");
const READY_MS = 60_000;

export interface StageOptions {
  /** Settings besides the simulator's and Redis'. */
  readonly env?: Readonly<Record<string, string>>;
  /** What each of the two workers has beside that: settings, and a clock that is wrong by so many ms. */
  readonly workers?: readonly [WorkerOptions, WorkerOptions];
  /** Whether jobs about nobody go to an endpoint of their own each minute. Default false. */
  readonly hasHeartbeat?: boolean;
  readonly intervalS: number;
}

interface WorkerOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly clockMs?: number;
}

/** Two workers, Redis, the simulator, Prometheus and Alertmanager: real processes, on free ports and in a folder of their own. */
export interface Stage extends AsyncDisposable {
  readonly simulator: Simulator;
  /** What answers heartbeats; null: there are none. */
  readonly heartbeat: Simulator | null;
  readonly client: Client;
  readonly workers: readonly Program[];
  /** Stops each and starts it again, one after the other: as a deploy does. */
  readonly restartWorkers: () => Promise<void>;
  readonly redis: Program;
  /** To change Redis' settings. */
  readonly admin: Redis;
  readonly folder: string;
  readonly pager: Pager;
  readonly monitoring: Monitoring;
  /** Runs a `satyapan` command; its output, whatever it exits with. */
  readonly satyapan: (...args: readonly string[]) => Promise<string>;
}

export async function setStage(options: StageOptions): Promise<Stage> {
  const { env: given = {}, workers: told = [{}, {}], hasHeartbeat = false, intervalS } = options;
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "satyapan-drill-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  opened.defer(() => {
    process.off("exit", remove);
    remove();
  });
  const [redisPort, prometheus, alertmanager, ...workerPorts] = await freePorts(5);
  if (redisPort === undefined || prometheus === undefined || alertmanager === undefined) throw new Error("no ports");
  const simulator = opened.use(await startSimulator());
  const heartbeat = hasHeartbeat ? opened.use(await startSimulator()) : null;
  const settings = {
    ...simulator.env,
    ...(heartbeat === null ? {} : { HEARTBEAT_BASE_URL: heartbeat.url }),
    REDIS_URL: `redis://127.0.0.1:${redisPort}`,
    SATYAPAN_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString("base64")}`,
    SATYAPAN_SUBJECT_KEY: randomBytes(32).toString("base64"),
    ...{ EKO_QUOTA: "100/1s", DEEPVUE_QUOTA: "100/1s", OTP_COOLDOWN: "5s", BACKOFF_BASE: "500ms", BACKOFF_CAP: "5s" },
    ...given,
  };
  // Nothing of this process's own environment but where programs are.
  const base = { PATH: `${join(process.execPath, "..")}:/usr/local/bin:/usr/bin:/bin`, HOME: folder, LC_ALL: "C" };
  const run = (program: string, args: readonly string[], env: Readonly<Record<string, string>>, log: string): Program =>
    opened.use(
      new Program({ program, args, env: { ...base, ...env }, cwd: folder, logFile: join(folder, `${log}.log`) }),
    );
  const redisArgs = {
    port: redisPort,
    bind: "127.0.0.1",
    dir: folder,
    save: "",
    appendonly: "yes",
    "maxmemory-policy": "noeviction",
  };
  const redis = run(
    "redis-server",
    Object.entries(redisArgs).flatMap(([name, value]) => [`--${name}`, String(value)]),
    {},
    "redis",
  );
  const admin = new Redis({ port: redisPort, host: "127.0.0.1", maxRetriesPerRequest: null, retryStrategy: () => 200 });
  admin.on("error", () => {}); // it is taken away on purpose
  opened.defer(() => admin.disconnect());
  await admin.ping();
  const workers = workerPorts.map((port, nth) => {
    const { env = {}, clockMs = 0 } = told[nth] ?? {};
    const clock = `const time=Date.now.bind(Date);Date.now=()=>time()+${clockMs}`;
    const wrong = clockMs === 0 ? [] : ["--import", `data:text/javascript,${encodeURIComponent(clock)}`];
    return run(
      process.execPath,
      [...wrong, MAIN, "worker"],
      { ...settings, ...env, METRICS_PORT: String(port) },
      `worker-${nth + 1}`,
    );
  });
  const logOf = (nth: number): string => join(folder, `worker-${nth + 1}.log`);
  await Promise.all(workerPorts.map(async (port, nth) => await listens(port, logOf(nth))));
  const restartWorkers = async (): Promise<void> => {
    for (const [nth, worker] of workers.entries()) {
      await worker.stop();
      worker.restart();
      await listens(workerPorts[nth] ?? 0, logOf(nth));
    }
  };
  const pager = opened.use(await Pager.listen({ host: "127.0.0.1", port: 0 }));
  const monitoring = opened.use(
    await Monitoring.start({
      ...{ folder, intervalS, env: base, pager: pager.url },
      ports: { prometheus, alertmanager },
      workers: workerPorts.map((port) => `127.0.0.1:${port}`),
    }),
  );
  const client = opened.use(createClient({ settings, actor: "drill", directory: folder }));
  const satyapan = async (...args: readonly string[]): Promise<string> => {
    const ran = promisify(execFile)(process.execPath, [MAIN, ...args], { cwd: folder, env: { ...base, ...settings } });
    return await ran.then(
      ({ stdout }) => stdout,
      (error: unknown) => outputOf(error),
    );
  };
  const all = opened.move();
  return {
    ...{ simulator, heartbeat, client, workers, restartWorkers, redis, admin, folder, pager, monitoring, satyapan },
    [Symbol.asyncDispose]: async () => await all.disposeAsync(),
  };
}

function outputOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const { stdout = "", stderr = "" } = error as Error & { readonly stdout?: string; readonly stderr?: string };
  return `${stdout}${stderr}`;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map(async (server) => void (await once(server, "listening"))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  for (const server of servers) server.close();
  return ports;
}

/** Resolves when a worker serves its metrics there; `log`: what it wrote. */
async function listens(port: number, log: string): Promise<void> {
  const begun = Date.now();
  while (Date.now() - begun < READY_MS) {
    const reply = await fetch(`http://127.0.0.1:${port}/healthz`).catch(() => null);
    if (reply?.ok === true) return;
    await sleep(100);
  }
  const last = (await readFile(log, "utf8")).trimEnd().split("\n").at(-1) ?? "";
  throw new Error(`no worker answers on port ${port}, and its log ends with: ${last}`);
}
