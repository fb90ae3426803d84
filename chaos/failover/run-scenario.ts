import { fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createClient } from "../../producers/index.ts";
import type { OutboxMessage } from "../../simulator/outbox.ts";
import type { RequestRecord } from "../../simulator/request-log.ts";
import { seededRandom } from "../../simulator/draw.ts";
import type { Machine } from "../../src/redis/embedded/machine.ts";
import { Fleet } from "../fleet.ts";
import { all, ask, outsideReady } from "../harness.ts";
import { dice } from "../random.ts";
import { ChaosCluster } from "./cluster.ts";
import { type FailoverEvidence, judgeFailover, type Judgement } from "./judgement.ts";
import type { NodeSpace } from "./node.ts";
import { ChaosPair } from "./pair.ts";
import { Probe } from "./probe.ts";
import type { Scenario } from "./scenarios.ts";
import { ChaosSentinel } from "./sentinel.ts";
import { SteadyLoad } from "./steady-load.ts";
import type { RedisKind, Topology } from "./topology.ts";

export interface FailoverOptions {
  readonly redis: RedisKind;
  readonly scenario: Scenario;
  readonly seed: number;
  readonly workers: number;
  /** Load before it happens, and at least so much after it began; in seconds. */
  readonly before: number;
  readonly after: number;
  /** Longest wait for the last job to settle afterwards, in seconds. */
  readonly drainSeconds: number;
  /** Default true: locks as they are shipped, 60 s; false: such that a lost worker's job is found in seconds. */
  readonly shippedLocks?: boolean;
  readonly machine: Machine;
  /** `redis-server` or `valkey-server`, with its path. */
  readonly program: string;
  readonly say: (line: string) => void;
}

export interface FailoverReport extends Judgement {
  /** The longest time for which this process itself was held up by the machine, in ms. */
  readonly heldUpMs: number;
  /** Workers that ended by themselves. */
  readonly fates: ReadonlyMap<string, number>;
  /** The folder of all files, kept only where a bar was missed. */
  readonly folder: string;
}

/** Persons a second: with the verifies about 40 calls, 32 of them Eko's. */
const RATE = 24;
const CALL_TIMEOUT_MS = 10_000;
const COOLDOWN_MS = 5_000;
/** For load to go on after a scenario that takes long, in ms. */
const AFTER_ACT_MS = 12_000;
const SETTINGS = {
  EKO_QUOTA: "50/1s",
  DEEPVUE_QUOTA: "15/1s",
  OTP_COOLDOWN: "5s",
  HOLD_PROBE: "1s",
  CALL_TIMEOUT: "10s",
  SHUTDOWN_GRACE: "15s",
  BACKOFF_BASE: "100ms",
  BACKOFF_CAP: "1s",
  WORKER_CONCURRENCY: "100",
  METRICS_PORT: "0",
  LOG_LEVEL: "info",
};
const QUOTAS = { eko: [{ max: 50, ms: 1_000 }], deepvue: [{ max: 15, ms: 1_000 }] };
const MIN_REPLICAS = ["--min-replicas-to-write", "1", "--min-replicas-max-lag", "2"];

/** Steady load, one event, load that goes on; then the simulator's record is held against ours. */
export async function runScenario(options: FailoverOptions): Promise<FailoverReport> {
  const { scenario, seed, machine, say } = options;
  const delays = monitorEventLoopDelay();
  delays.enable();
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(machine.tmpDir, "satyapan-failover-"));
  const random = seededRandom(seed + process.pid);
  const topology = opened.use(await startTopology(options, folder, random));
  const outside = fork(fileURLToPath(new URL("../outside.ts", import.meta.url)), {
    stdio: ["ignore", "ignore", 2, "ipc"],
  });
  opened.defer(() => void outside.kill("SIGKILL"));
  const latencyMs = scenario.latencyMs ?? { min: 20, max: 150 };
  const configuration = {
    ...{ quotas: QUOTAS, enforceQuotas: false, pendingWindowMs: COOLDOWN_MS - 1_000, endings: false, latencyMs },
  };
  const world = await outsideReady(outside, { seed, configuration, redis: null });
  const env = {
    ...SETTINGS,
    ...world.env,
    PATH: machine.path,
    HOME: machine.home,
    REDIS_URL: topology.url,
    SATYAPAN_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString("base64")}`,
    SATYAPAN_SUBJECT_KEY: randomBytes(32).toString("base64"),
  };
  const submitter = opened.use(createClient({ settings: env, directory: folder }));
  const watcher = opened.use(createClient({ settings: env, directory: folder }));
  const fates = new Map<string, number>();
  const readied = new EventEmitter();
  const fleet = opened.use(
    new Fleet({
      ...{ size: options.workers, seed, env, logFile: join(folder, "workers.log") },
      peril: { killOdds: 0, freezeOdds: 0 },
      freezeMs: () => 0,
      told: (n) => ({ shippedLocks: options.shippedLocks ?? true, ...scenario.told?.(n) }),
      onReady: () => void readied.emit("ready"),
      onFate: (fate) => void fates.set(fate, (fates.get(fate) ?? 0) + 1),
    }),
  );
  const phone = async (person: string): Promise<OutboxMessage | null> => {
    const [message = null] = await ask<OutboxMessage[]>(`${world.url}/_simulator/outbox?to=${person}&limit=1`);
    return message;
  };
  const load = new SteadyLoad({ submitter, watcher, phone, dice: dice(seed, "load"), rate: RATE });
  const probe = opened.use(new Probe(topology.nodes));
  // What waits while they start would go out at once, from cold processes.
  for (let n = 0; n < options.workers; n++) await once(readied, "ready");
  const over = new AbortController();
  const loading = load.run(over.signal, options.drainSeconds * 1_000);
  await sleep(options.before * 1_000);
  delays.reset();
  const actedAt = Date.now();
  say(`${scenario.what}: begins after ${load.accepted.length} jobs; ${folder}`);
  const [ownMs] = await Promise.all([
    scenario.act({ topology, fleet, readied }).then(async (ms) => {
      await sleep(Math.min(AFTER_ACT_MS, options.after * 1_000));
      return ms ?? 0;
    }),
    sleep(options.after * 1_000),
  ]);
  over.abort();
  const loadEndedAt = Date.now();
  say(`${scenario.what}: load is over, ${load.open} jobs are open`);
  await loading;
  // What is still called after the records were read is in none of them.
  const readAt = Date.now();
  const isBefore = ({ at }: { readonly at: number }): boolean => at < readAt;
  const evidence: FailoverEvidence = {
    jobs: load.accepted,
    records: await watcher.getMany(load.accepted.map(({ id }) => id)),
    requests: (await all<RequestRecord>(`${world.url}/_simulator/requests`)).filter(isBefore),
    outbox: (await ask<OutboxMessage[]>(`${world.url}/_simulator/outbox?limit=100000000`))
      .toReversed()
      .filter(isBefore),
    ...{ quotas: QUOTAS, cooldownMs: COOLDOWN_MS, callTimeoutMs: CALL_TIMEOUT_MS },
    ...{ actedAt, loadEndedAt, ownMs, written: probe.written, refusals: load.refusals },
    ...{ mayLose: scenario.mayLose === true, minReplicas: scenario.minReplicas === true },
  };
  const judgement = judgeFailover(evidence);
  if (judgement.missed.length === 0) opened.defer(async () => await rm(folder, { recursive: true, force: true }));
  else {
    const told = { ...evidence, refusals: [...load.refusals], judgement };
    await writeFile(join(folder, "evidence.json"), JSON.stringify(told, null, 1));
  }
  return { ...judgement, fates, folder, heldUpMs: Math.round(delays.max / 1e6) };
}

async function startTopology(
  { redis, scenario, machine, program }: FailoverOptions,
  folder: string,
  random: () => number,
): Promise<Topology> {
  const space: NodeSpace = { program, folder, path: machine.path, home: machine.home };
  const args = scenario.minReplicas === true ? MIN_REPLICAS : [];
  switch (redis) {
    case "cluster":
      return await ChaosCluster.start(space, random, args);
    case "sentinel":
      return await ChaosSentinel.start(space, random, args);
    case "standalone":
      return await ChaosPair.start(space, random, args);
  }
}
