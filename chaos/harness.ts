import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createClient } from "../producers/index.ts";
import type { ConfigurationPatch } from "../simulator/configuration.ts";
import type { OutboxMessage } from "../simulator/outbox.ts";
import type { RequestRecord } from "../simulator/request-log.ts";
import { parseSettings } from "../src/config/parse-settings.ts";
import type { Quota } from "../src/limits/quota.ts";
import { OPERATIONS } from "../src/operations/catalogue.ts";
import type { Machine } from "../src/redis/embedded/machine.ts";
import { Archivist } from "./archivist.ts";
import { ChaosRedis, type Fsync } from "./chaos-redis.ts";
import { Fleet } from "./fleet.ts";
import type { CutOrder, OutsideReady, OutsideStart, Side } from "./outside.ts";
import { CUTS } from "./proxy.ts";
import { formatQuota } from "../src/limits/parse-quota.ts";
import { type Dice, dice } from "./random.ts";
import { type Ending, flowStory, jobStory, type Story } from "./stories.ts";

export interface ChaosOptions {
  readonly seed: number;
  /** The SIGKILLs of workers and of Redis after which chaos ends, … */
  readonly kills: number;
  /** … and the seconds after which it ends at the latest. */
  readonly seconds: number;
  readonly workers: number;
  /** SIGKILLs a second that are aimed at. */
  readonly rate: number;
  /** Calls a second of Eko's quota. */
  readonly quota: number;
  /** Of every three workers' clocks one is ahead by so much, one behind, one right; in seconds. */
  readonly clocks: number;
  /** After the chaos: the longest wait for one more job to settle; of flows, for the last row; in seconds. */
  readonly drainSeconds: number;
  /** Files of rows that run flows, whose persons answer; else jobs. */
  readonly flows?: boolean;
  /** Records are archived within seconds of their job's end; not with `flows`, whose jobs have no generated ids. Default false. */
  readonly archive?: boolean;
  readonly fsync: Fsync;
  readonly machine: Machine;
  readonly say: (line: string) => void;
}

export interface ChaosReport extends Ending {
  /** How often each thing befell something: `killed begun`, `cut redis mute`, … */
  readonly fates: ReadonlyMap<string, number>;
  readonly kills: number;
  readonly jobs: number;
  readonly requests: number;
  readonly otps: number;
  readonly tookMs: number;
}

/** So much a second, and eight times as much in ten. */
function quotaOf(perSecond: number): Quota {
  return [
    { max: perSecond, ms: 1_000 },
    { max: 8 * perSecond, ms: 10_000 },
  ];
}
/** Deepvue's quota is smaller than Eko's by so much. */
const DEEPVUE_SHARE = 0.4;
const COOLDOWN_MS = 3_000;
/** Of rows' OTPs, where the provider says it, in ms. */
const OTP_LIFE_MS = 45_000;

/** The workers' settings: short waits, so that much happens in a minute. */
const SETTINGS = {
  DEEPVUE_PENDING_DELAYS: "2s,3s,4s",
  OTP_COOLDOWN: "3s",
  HOLD_PROBE: "1s",
  CALL_TIMEOUT: "2s",
  SHUTDOWN_GRACE: "3s",
  BACKOFF_BASE: "100ms",
  BACKOFF_CAP: "1s",
  WORKER_CONCURRENCY: "10",
  METRICS_PORT: "0",
  LOG_LEVEL: "info",
};
/** The providers': the same quotas, counted and not enforced, and faults of every kind. */
const PROVIDERS: ConfigurationPatch = {
  enforceQuotas: false,
  pendingWindowMs: 4_000,
  endings: false,
  latencyMs: { min: 5, max: 150 },
  faults: [
    { fault: "drop-after-commit", probability: 0.03 },
    { fault: "reset-before-commit", probability: 0.03 },
    { fault: "cut-short", probability: 0.01 },
    { fault: "bad-gateway", probability: 0.01, committed: true },
    { fault: "temporary-failure", probability: 0.03 },
    { fault: "unavailable", probability: 0.01 },
    { fault: "throttled", probability: 0.003 },
    { fault: "bad-credentials", probability: 0.002 },
    { fault: "never-ending", probability: 0.005 },
    { fault: "slow", probability: 0.02, ms: 1_000 },
    { fault: "mobile-not-linked", probability: 0.03 },
    { fault: "already-pending", probability: 0.03 },
  ],
};

/** The shares of all kills: at a worker's points, from outside, of Redis. */
const AT_POINTS = 0.55;
const FROM_OUTSIDE = 0.33;
const OF_REDIS = 0.12;
/** Points that are passed a second, about: odds follow from it. */
const POINTS_PER_SECOND = 50;
/** Other mischief, a second. */
const FREEZES = 0.12;
const CUTS_A_SECOND = 0.3;
/** Of Redis, which refuses writes for a while. */
const REFUSALS = 0.04;
/** Jobs that are open, for each call a second of Eko's quota; and rows, of which many wait for their person. */
const BACKLOG = 4;
const ROWS_BACKLOG = 6;
const FREEZE_MS = { least: 200, most: 8_000 };
const CUT_MS = { least: 100, most: 2_500 };
const REFUSED_MS = { least: 500, most: 4_000 };
/** The time between two fresh workers after the chaos, which look for stalled jobs. */
const RELIEF_MS = 2_500;

/** One run: chaos, then quiet until all jobs are settled, then the verdict. Throws only where the harness itself fails. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, machine, say } = options;
  const startedAt = performance.now();
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(machine.tmpDir, "satyapan-chaos-"));
  const quotas = { eko: quotaOf(options.quota), deepvue: quotaOf(Math.ceil(options.quota * DEEPVUE_SHARE)) };
  const fates = new Map<string, number>();
  const count = (fate: string): void => void fates.set(fate, (fates.get(fate) ?? 0) + 1);
  const kills = (): number => [...fates].reduce((sum, [fate, n]) => sum + (fate.startsWith("killed") ? n : 0), 0);

  const redis = opened.use(await ChaosRedis.start(machine, folder, options.fsync));
  const outside = fork(fileURLToPath(new URL("outside.ts", import.meta.url)), {
    stdio: ["ignore", "ignore", 2, "ipc"],
  });
  opened.defer(() => void outside.kill("SIGKILL"));
  const world = await outsideReady(outside, {
    seed,
    configuration: {
      ...{ ...PROVIDERS, quotas: { eko: [...quotas.eko], deepvue: [...quotas.deepvue] } },
      // Whoever never answers is expired before the run is over.
      ...(options.flows === true && { otpTtlMs: OTP_LIFE_MS }),
    },
    redis: redis.socket,
  });
  const env = {
    ...SETTINGS,
    ...(options.archive === true && { RECORD_ARCHIVE: "on", RESULT_RETENTION: "1m" }),
    ...{ EKO_QUOTA: formatQuota(quotas.eko), DEEPVUE_QUOTA: formatQuota(quotas.deepvue) },
    ...world.env,
    PATH: machine.path,
    HOME: machine.home,
    REDIS_URL: world.redisUrl,
    SATYAPAN_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString("base64")}`,
    SATYAPAN_SUBJECT_KEY: randomBytes(32).toString("base64"),
  };
  const direct = { ...env, REDIS_URL: `unix://${redis.socket}` };
  const submitter = opened.use(createClient({ settings: env, directory: folder }));
  const watcher = opened.use(createClient({ settings: direct, directory: folder }));

  const chance = dice(seed, "mischief");
  const odds = (options.rate * AT_POINTS) / POINTS_PER_SECOND;
  const logFile = join(folder, "workers.log");
  say(`chaos: seed ${seed}; the workers' log: ${logFile}`);
  const fleet = opened.use(
    new Fleet({
      ...{ size: options.workers, seed, env, logFile, onFate: count },
      peril: { killOdds: odds, freezeOdds: FREEZES / POINTS_PER_SECOND },
      freezeMs: () => chance.between(FREEZE_MS.least, FREEZE_MS.most),
      told: (n) => ({ clockOffsetMs: ((n % 3) - 1) * options.clocks * 1_000 }),
    }),
  );
  const outboxOf = async (query: string): Promise<OutboxMessage[]> =>
    await ask<OutboxMessage[]>(`${world.url}/_simulator/outbox?${query}`);
  const archivist =
    options.archive === true
      ? opened.use(new Archivist({ socket: redis.socket, submitter, watcher, dice: dice(seed, "archive") }))
      : null;
  const about = { submitter, watcher, dice: dice(seed, "load") };
  const story: Story =
    options.flows === true
      ? flowStory(watcher, {
          ...{ ...about, backlog: ROWS_BACKLOG * options.quota },
          outboxAfter: async (seq) => (await outboxOf(`after=${seq}&limit=10000`)).toReversed(),
          subjectKey: parseSettings(env, { readFile: () => "", operations: OPERATIONS }).subjectKey,
        })
      : jobStory(
          watcher,
          { quotas, cooldownMs: COOLDOWN_MS },
          {
            ...{ ...about, backlog: BACKLOG * options.quota },
            phone: async (person) => (await outboxOf(`to=${person}&limit=1`))[0] ?? null,
          },
          archivist,
        );
  const { load } = story;

  const over = new AbortController();
  const settled = new AbortController();
  const loading = load.run(over.signal, options.drainSeconds * 1_000).finally(() => settled.abort());

  const archiving = archivist?.run(settled.signal);

  const stories = [
    repeat(
      () => chance.gap(1_000 / (options.rate * FROM_OUTSIDE)),
      over.signal,
      () => fleet.killOne(chance),
    ),
    repeat(
      () => chance.gap(1_000 / FREEZES),
      over.signal,
      () => fleet.freezeOne(chance),
    ),
    repeat(
      () => chance.gap(1_000 / CUTS_A_SECOND),
      over.signal,
      () => count(cut(outside, chance)),
    ),
    repeat(
      () => chance.gap(1_000 / (options.rate * OF_REDIS)),
      over.signal,
      async () => {
        count("killed redis");
        await redis.killAndRestart();
      },
    ),
    repeat(
      () => chance.gap(1_000 / REFUSALS),
      over.signal,
      async () => {
        count("redis refused writes");
        await redis.refuseWrites(chance.between(REFUSED_MS.least, REFUSED_MS.most));
      },
    ),
  ];
  const chaosEnds = performance.now() + options.seconds * 1_000;
  const telling = repeat(10_000, settled.signal, async () => {
    say(`chaos: ${kills()} kills, ${story.accepted()} accepted, ${load.open} open: ${await load.standing()}`);
  });
  while (kills() < options.kills && performance.now() < chaosEnds) await sleep(50);
  over.abort();
  await Promise.all(stories);
  const killed = kills();
  const happened = new Map(fates);
  say(`chaos: ${killed} kills; quiet now, ${load.open} are open`);
  fleet.calm();
  const relief = repeat(RELIEF_MS, settled.signal, () => {
    // On a busy machine a start takes longer than that: none would ever take a job.
    if (fleet.isReady) fleet.relieve();
  });
  await loading;
  await Promise.all([relief, telling, archiving]);
  // What is still open must not go on between the simulator's word and ours.
  await fleet[Symbol.asyncDispose]();

  const requests = await all<RequestRecord>(`${world.url}/_simulator/requests`);
  const outbox = (await outboxOf("limit=100000000")).toReversed();
  const ending = await story.judge(requests, outbox);
  if (ending.violations.length === 0) opened.defer(async () => await rm(folder, { recursive: true, force: true }));
  return {
    ...{ fates: happened, kills: killed, jobs: ending.records.length, ...ending },
    ...{ requests: requests.length, otps: outbox.length, tookMs: performance.now() - startedAt },
  };
}

export async function outsideReady(outside: ChildProcess, start: OutsideStart): Promise<OutsideReady> {
  outside.send(start);
  const [ready] = (await once(outside, "message")) as [OutsideReady];
  return ready;
}

/** Returns what was done. */
function cut(outside: ChildProcess, chance: Dice): string {
  // Not so often that the providers' breaker is open most of the time.
  const side: Side = chance.chance(0.25) ? "providers" : "redis";
  const how = chance.pick(CUTS);
  const ms = chance.between(CUT_MS.least, CUT_MS.most);
  outside.send({ side, how, ms } satisfies CutOrder);
  return `cut ${side} ${how}`;
}

/** Does it again and again, after a wait each time, until aborted. */
async function repeat(
  waitMs: number | (() => number),
  signal: AbortSignal,
  action: () => Promise<void> | void,
): Promise<void> {
  for (;;) {
    await sleep(typeof waitMs === "number" ? waitMs : waitMs(), undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    await action();
  }
}

export async function ask<T>(url: string): Promise<T> {
  return (await (await fetch(url)).json()) as T;
}

/** A page after the other. */
export async function all<T extends { readonly seq: number }>(url: string): Promise<T[]> {
  const found: T[] = [];
  for (;;) {
    const page = await ask<T[]>(`${url}?after=${found.at(-1)?.seq ?? 0}`);
    if (page.length === 0) return found;
    found.push(...page);
  }
}
