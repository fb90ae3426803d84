import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { Client } from "../../producers/client.ts";
import type { ConfigurationPatch } from "../../simulator/configuration.ts";
import { startSimulator, type Simulator } from "../../simulator/simulator.ts";
import { parseSettings } from "../../src/config/parse-settings.ts";
import type { Settings } from "../../src/config/settings.ts";
import { OPERATIONS } from "../../src/operations/catalogue.ts";
import { RedisAccess } from "../../src/redis/access.ts";
import { RedisPair } from "../../src/redis/pair.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { type RunningWorker, runWorker, type WorkerDeps } from "../../workers/run-worker.ts";
import { readTestEnv } from "./env.ts";
import { startTestRedis, type TestRedis } from "./redis.ts";

export interface WorkerBundle extends AsyncDisposable {
  readonly redis: TestRedis;
  readonly simulator: Simulator;
  readonly client: Client;
  readonly settings: Settings;
  /** Every line the workers logged. */
  readonly log: string[];
  /** Starts one more worker in this process, with other settings, another clock and other locks if given. */
  readonly startWorker: (
    settings?: Partial<Settings>,
    now?: () => number,
    lock?: WorkerDeps["lock"],
  ) => Promise<RunningWorker>;
}

export interface WorkerBundleOptions {
  readonly simulator?: ConfigurationPatch;
  /** Whether the simulator says of each request after when it came (`came_after`). */
  readonly witness?: boolean;
  /** Environment variables beside the simulator's. */
  readonly env?: Readonly<Record<string, string>>;
}

/** The environment of a process that works with this simulator and Redis: fresh keys, quick waits. */
export function bundleEnv(simulator: Simulator, redisUrl: string): Record<string, string> {
  return {
    ...simulator.env,
    REDIS_URL: redisUrl,
    SATYAPAN_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString("base64")}`,
    SATYAPAN_SUBJECT_KEY: randomBytes(32).toString("base64"),
    EKO_QUOTA: "1000/1s",
    DEEPVUE_QUOTA: "1000/1s",
    DEEPVUE_PENDING_DELAYS: "100ms,200ms",
    BACKOFF_BASE: "20ms",
    BACKOFF_CAP: "100ms",
    METRICS_PORT: "0",
  };
}

/** A Redis, a simulator, a client, and workers as asked for: all of this test's own. */
export async function startWorkerBundle({
  simulator: configuration = {},
  witness = false,
  env = {},
}: WorkerBundleOptions = {}): Promise<WorkerBundle> {
  const stack = new AsyncDisposableStack();
  const redis = stack.use(await startTestRedis());
  const simulator = stack.use(await startSimulator({ configuration, witness }));
  const settings = parseSettings(
    { ...bundleEnv(simulator, redis.url), ...env },
    { readFile: () => "", operations: OPERATIONS },
  );
  const stateDir = mkdtempSync(join(tmpdir(), "satyapan-test-"));
  stack.defer(() => rmSync(stateDir, { recursive: true, force: true }));
  const { machine } = readTestEnv();
  const openRedis = async (of: Settings): Promise<RedisAccess> =>
    await RedisAccess.open({ settings: of, stateDir, machine, onError: () => {} });
  const client = stack.use(new Client({ tmpDir: tmpdir(), settings, openRedis, actor: "library:test", now: Date.now }));
  const log: string[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      log.push(String(chunk));
      done();
    },
  });
  const startWorker: WorkerBundle["startWorker"] = async (other = {}, now = Date.now, lock?) => {
    const pair = await RedisPair.open({ ...settings, ...other }, openRedis);
    const logger = createLogger("debug", sink);
    const running = await runWorker({
      settings: { ...settings, ...other },
      redis: pair,
      logger,
      now,
      random: Math.random,
      ...(lock === undefined ? {} : { lock }),
    });
    stack.defer(async () => await pair.close());
    stack.defer(async () => void (await running.stop()));
    return running;
  };
  return {
    redis,
    simulator,
    client,
    settings,
    log,
    startWorker,
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  };
}
