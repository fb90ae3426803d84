import { copyFileSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { commandActor } from "../producers/base/actor.ts";
import type { Client } from "../producers/client.ts";
import { openClient } from "../producers/command/open.ts";
import type { ConfigurationPatch } from "../simulator/configuration.ts";
import { type Simulator, startSimulator } from "../simulator/simulator.ts";
import { homeFolder } from "../src/base/user.ts";
import type { CommandContext } from "../src/command/context.ts";
import { Faults } from "../src/command/faults.ts";
import { readEnvironment } from "../src/config/environment.ts";
import { markMadeUp } from "../src/privacy/made-up.ts";
import { closeRedis, connectRedis, ready } from "../src/redis/connection.ts";
import { openEmbeddedRedis } from "../src/redis/embedded/embedded-redis.ts";
import { machineFrom } from "../src/redis/embedded/machine.ts";
import { watchOver, watchOverFolder } from "../test/support/watch-over.ts";
import { Workers } from "./workers.ts";

export const WORKERS = 2;
/** In the stage's folder, as a person would have it. */
export const FILE = "senders.csv";
/** Of the workers, beside it. */
export const LOG_FILE = "workers.log";

/** What differs from the defaults, so that it fits into a minute; shown on the screen. */
export const SETTINGS = {
  EKO_QUOTA: "100/1s",
  DEEPVUE_QUOTA: "40/1s",
  DEEPVUE_PENDING_DELAYS: "2s,4s",
  OTP_COOLDOWN: "2s",
  BACKOFF_BASE: "200ms",
} as const;
/** Wider than the workers' own, so that the stand-in's 429 would show a worker that goes over. */
const SIMULATOR: ConfigurationPatch = {
  quotas: { eko: [{ max: 200, ms: 1_000 }], deepvue: [{ max: 80, ms: 1_000 }] },
  pendingWindowMs: 2_000,
  latencyMs: { min: 20, max: 250 },
};

/** Everything that the demo runs on: in a folder of its own a Redis, keys, a stand-in for the providers, and workers. */
export interface Stage {
  readonly folder: string;
  readonly simulator: Simulator;
  readonly workers: Workers;
  /** Of commands that are typed in that folder. */
  readonly context: CommandContext;
  readonly client: Client;
  /** The folder stays, to look at what is in it; without this it goes with the rest. */
  keep(): void;
}

/** All that was started is stopped with `resources`, also where a part of it cannot be started. */
export async function openStage(resources: AsyncDisposableStack, signal: AbortSignal): Promise<Stage> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "satyapan-demo-")));
  let kept = false;
  const folderDog = watchOverFolder(folder);
  resources.defer(() => {
    if (!kept) rmSync(folder, { recursive: true, force: true });
    folderDog.release();
  });
  const own = readEnvironment();
  const machine = machineFrom(own, process.platform, homeFolder(), tmpdir());
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  const home = join(folder, ".satyapan");
  const redis = await openEmbeddedRedis({ dir: home, machine, say });
  const { server } = JSON.parse(readFileSync(join(home, "redis", "server.json"), "utf8")) as {
    server: { pid: number };
  };
  const watchdog = watchOver(server.pid);
  resources.defer(() => watchdog.release());
  resources.defer(async () => await redis.close());
  const marking = connectRedis({ kind: "unix", path: redis.path }, "client", () => {});
  resources.defer(async () => await closeRedis(marking));
  await ready(marking);
  await markMadeUp(marking);
  signal.throwIfAborted();
  const simulator = resources.use(await startSimulator({ configuration: SIMULATOR }));
  // Nothing of our own environment, in which there may be a real Redis and real credentials.
  const env = { PATH: machine.path, ...SETTINGS, ...simulator.env, METRICS_PORT: "0" };
  const workers = resources.use(new Workers({ count: WORKERS, folder, env, logFile: join(folder, LOG_FILE) }));
  const context: CommandContext = {
    ...{ env, cwd: folder, stdin: process.stdin, stdout: process.stdout, stderr: process.stderr },
    ...{ now: Date.now, random: Math.random, readFile: (path: string) => readFileSync(path, "utf8") },
    ...{ actor: commandActor("demo"), machine, faults: new Faults(), signal, exit: () => {}, endAtHangup: () => {} },
  };
  const client = resources.use(openClient(context));
  copyFileSync(fileURLToPath(new URL("../examples/senders.csv", import.meta.url)), join(folder, FILE));
  symlinkSync(fileURLToPath(new URL("../bin/satyapan.js", import.meta.url)), join(folder, "satyapan"));
  process.chdir(folder);
  const keep = (): void => {
    kept = true;
    folderDog.release();
  };
  return { folder, simulator, workers, context, client, keep };
}
