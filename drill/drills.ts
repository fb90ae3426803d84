import { randomBytes } from "node:crypto";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConfigurationPatch } from "../simulator/configuration.ts";
import { madeUpMobile } from "../simulator/people.ts";
import type { ProviderName } from "../src/base/provider-name.ts";
import { batchKey } from "../src/batches/keys.ts";
import { ROW_BYTES } from "../src/batches/row-state.ts";
import { onboardingKey } from "../src/flows/onboarding-store.ts";
import { WRAPS_SINCE } from "../src/privacy/keys/data-key-store.ts";
import { queueOf, recordKey } from "../src/queues/names.ts";
import { WORKERS_LEASE_KEY } from "../src/redis/lease.ts";
import type { LoadOptions } from "./load.ts";
import type { Stage, StageOptions } from "./stage.ts";

/** An incident that is played, and what those on call have to be told of it: this, and nothing else. */
export interface Drill {
  readonly name: string;
  readonly what: string;
  readonly strike: (stage: Stage) => Promise<void>;
  /** The alerts that have to come, each once. */
  readonly alerts: readonly string[];
  /** Such that may come as well, as a part of the truth. */
  readonly also?: readonly string[];
  readonly stage?: Pick<StageOptions, "env" | "workers" | "hasHeartbeat">;
  readonly load?: LoadOptions;
  /** Whose jobs are explained. Default eko. */
  readonly provider?: ProviderName;
  /** How long the alerts may take, in s. Default 150. */
  readonly limitS?: number;
}

const OLD_KEY = `k1:${randomBytes(32).toString("base64")}`;
const NEW_KEY = `k2:${randomBytes(32).toString("base64")}`;

function fault(faults: ConfigurationPatch["faults"]): Drill["strike"] {
  return async ({ simulator }) => await Promise.resolve(simulator.configure({ faults: faults ?? [] }));
}

/** Submits a file of so many made-up people, by the command; each `bad`th of them is one whom Eko says no to. */
async function submitBatch({ folder, satyapan }: Stage, count: number, bad = 0): Promise<void> {
  const file = join(folder, "people.csv");
  // Nobody of the load's.
  const mobileOf = (row: number): string => madeUpMobile(1_000_000 + row, bad > 0 && row % bad === 0 ? "998" : "000");
  const rows = Array.from({ length: count }, (_, index) => `${mobileOf(index + 1)},agent1`);
  await writeFile(file, `mobile,csp_id\n${rows.join("\n")}\n`);
  await satyapan("batch", "submit", file, "--operation", "eko.mobile-otp", "--name", "drill");
}

/** Onboards one person, and once the code is awaited makes the flow one that only a newer version has. */
async function onboardByNewerFlow({ client, admin, simulator }: Stage): Promise<void> {
  simulator.configure({ otpTtlMs: SHORT_OTP_MS });
  const input = { mobile: madeUpMobile(3_000_000), csp_id: "agent1" };
  const { id } = await client.onboard("eko.mobile", input, { id: "drill" });
  await client.onboardings.waitUntil(id, ({ state }) => state === "awaiting_otp", { timeoutMs: 30_000 });
  const key = onboardingKey(queueOf("eko"), id);
  const terms = (await admin.hget(key, "terms")) ?? "";
  await admin.hset(key, "terms", terms.replace("eko.mobile", "eko.next"));
}

/** How long the codes of a drill are good where nobody gives them, in ms. */
const SHORT_OTP_MS = 10_000;
/** Of `KEY_LIFE`'s 365, so many a key has served: less than 30 are left. */
const SERVED_DAYS = 340;
const DAY_MS = 86_400_000;

/** Calls take this long, so that some are under way when a worker is killed, in ms. */
const CALL_MS = 1_500;

export const DRILLS: readonly Drill[] = [
  {
    name: "outage",
    what: "Eko answers 503 to everything",
    strike: fault([{ fault: "unavailable", operation: "eko." }]),
    alerts: ["BreakerOpen"],
    // A 503 to a send may have come after the SMS: those first calls wait to be settled.
    also: ["JobsUnknown"],
  },
  {
    name: "slow",
    what: "each of Eko's replies takes 5 s",
    strike: fault([{ fault: "slow", operation: "eko.", ms: 5_000 }]),
    alerts: ["ProviderSlow"],
  },
  {
    name: "refused",
    what: "Eko answers 403: our credential",
    strike: fault([{ fault: "bad-credentials", operation: "eko." }]),
    alerts: ["ProviderHeld"],
  },
  {
    name: "storm",
    what: "Eko answers 429 to seven calls of ten",
    strike: fault([{ fault: "throttled", operation: "eko.", probability: 0.7 }]),
    alerts: ["ThrottledHard"],
    limitS: 240,
  },
  {
    name: "quota-gone",
    what: "Deepvue's quota of the day, 20 calls, is used up",
    stage: { env: { DEEPVUE_QUOTA: "10/1s,20/1d" } },
    load: { deepvue: 3 },
    strike: async () => await Promise.resolve(),
    alerts: ["QuotaGone"],
    provider: "deepvue",
  },
  {
    name: "no-workers",
    what: "both workers are killed",
    strike: async ({ workers }) => void (await Promise.all(workers.map(async (worker) => await worker.kill()))),
    alerts: ["NoWorker"],
  },
  {
    name: "frozen",
    what: "one worker of two is frozen (SIGSTOP)",
    strike: async ({ workers }) => await Promise.resolve(workers[0]?.signal("SIGSTOP")),
    alerts: ["WorkerDown"],
    // What it had in hand when it froze may have happened.
    also: ["JobsUnknown"],
    limitS: 240,
  },
  {
    name: "redis-away",
    what: "Redis is killed and stays away",
    strike: async ({ redis }) => await redis.kill(),
    alerts: ["RedisDown"],
  },
  {
    name: "redis-full",
    what: "Redis' memory is full",
    strike: async ({ admin }) => void (await admin.config("SET", "maxmemory", "1mb")),
    alerts: ["RedisRefusesWrites"],
  },
  {
    name: "redis-empty",
    what: "Redis is killed and comes back without its data",
    strike: async ({ redis, folder }) => {
      await redis.kill();
      await rm(join(folder, "appendonlydir"), { recursive: true, force: true });
      await rm(join(folder, "appendonly.aof"), { force: true });
      redis.restart();
    },
    alerts: ["RedisDataLost"],
  },
  {
    name: "key-missing",
    what: "one worker of two was not given the new key",
    stage: {
      env: { SATYAPAN_ENCRYPTION_KEYS: `${NEW_KEY},${OLD_KEY}` },
      workers: [{}, { env: { SATYAPAN_ENCRYPTION_KEYS: OLD_KEY } }],
    },
    strike: async () => await Promise.resolve(),
    alerts: ["KeyMissing"],
  },
  {
    name: "wrong-clock",
    what: "one worker's clock is 5 min behind",
    stage: { workers: [{}, { clockMs: -300_000 }] },
    strike: async () => await Promise.resolve(),
    // Its first signature is too old for Eko: a 403, which holds the credential for the second until it is signed by Eko's time.
    alerts: ["ClockWrong"],
  },
  {
    name: "wrong-otps",
    what: "45 of 100 codes are typed wrong",
    load: { eko: 4, wrong: 0.45 },
    strike: async () => await Promise.resolve(),
    alerts: ["WrongOtps"],
  },
  {
    name: "unknowns",
    what: "each twentieth of Eko's replies is lost after the call was carried out",
    load: { eko: 8 },
    strike: fault([{ fault: "drop-after-commit", operation: "eko.", every: 20, times: 200 }]),
    alerts: ["JobsUnknown"],
  },
  {
    name: "killed",
    what: "one worker of two is killed (SIGKILL) with calls under way, and started again",
    strike: async ({ simulator, workers: [worker] }) => {
      simulator.configure({ latencyMs: { min: CALL_MS, max: CALL_MS } });
      await sleep(2 * CALL_MS);
      await worker?.kill();
      worker?.restart();
    },
    // What it called when it died may have happened; all else the others do.
    alerts: ["JobsUnknown"],
  },
  {
    name: "poison",
    what: "two records are garbled in Redis before their jobs are called",
    strike: async ({ client, admin }) => {
      await client.gates.setQuota("eko", "0");
      for (const nth of [1, 2]) {
        const mobile = madeUpMobile(2_000_000 + nth);
        const { id } = await client.submit("eko.mobile-otp", { mobile, csp_id: "agent1" });
        await admin.hset(recordKey(queueOf("eko"), id), "job", "\u0000 garbled");
      }
      await client.gates.resetQuota("eko");
    },
    alerts: ["Unreadable"],
  },
  {
    name: "challenges",
    what: "nobody gives a code before it runs out",
    strike: async ({ simulator }) => await Promise.resolve(simulator.configure({ otpTtlMs: SHORT_OTP_MS })),
    alerts: ["ChallengesExpire"],
    limitS: 420,
  },
  {
    name: "batch-stopped",
    what: "each second row of a batch is a wrong number",
    strike: async (stage) => await submitBatch(stage, 400, 2),
    alerts: ["BatchStopped"],
  },
  {
    name: "feeder",
    what: "a batch runs, and no worker has the duty: its lease is another's",
    strike: async (stage) => {
      await submitBatch(stage, 8_000);
      await stage.admin.set(WORKERS_LEASE_KEY, "nobody", "EX", 600);
    },
    alerts: ["FeederStopped"],
  },
  {
    name: "heartbeat",
    what: "jobs about nobody come to no end: what they call is gone",
    stage: { hasHeartbeat: true },
    strike: async ({ heartbeat }) => await heartbeat?.close(),
    alerts: ["HeartbeatLost"],
    limitS: 420,
  },
  {
    name: "onboarding",
    what: "a person's onboarding is of a flow that only a newer version knows",
    load: { wrong: 0 },
    strike: onboardByNewerFlow,
    alerts: ["OnboardingStuck"],
    limitS: 420,
  },
  {
    name: "miscount",
    what: "somebody adds two rows to a running batch's count of successes, in Redis",
    strike: async (stage) => {
      await submitBatch(stage, 400);
      const [batch] = await stage.client.batches.list();
      await stage.admin.hincrby(batchKey(queueOf("eko"), batch?.id ?? ""), `n:${ROW_BYTES.succeeded}`, 2);
    },
    alerts: ["BatchMiscounted"],
    limitS: 480,
  },
  {
    name: "old-key",
    what: `the key that seals has served ${SERVED_DAYS} of its 365 days`,
    strike: async ({ admin, restartWorkers }) => {
      await admin.hset(WRAPS_SINCE, "k1", Date.now() - SERVED_DAYS * DAY_MS);
      await restartWorkers();
    },
    alerts: ["KeyRetires"],
    limitS: 720,
  },
];
