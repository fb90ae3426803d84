import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { ConfigurationPatch } from "../simulator/configuration.ts";
import type { ProviderName } from "../src/base/provider-name.ts";
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
  readonly stage?: Pick<StageOptions, "env" | "workers">;
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
];
