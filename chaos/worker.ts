import { readFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { readEnvironment } from "../src/config/environment.ts";
import { parseSettings } from "../src/config/parse-settings.ts";
import { OPERATIONS } from "../src/operations/catalogue.ts";
import { machineFrom } from "../src/redis/embedded/machine.ts";
import { RedisAccess } from "../src/redis/access.ts";
import { RedisPair } from "../src/redis/pair.ts";
import { createLogger } from "../src/telemetry/logger.ts";
import { runWorker } from "../workers/run-worker.ts";
import { type Peril, perilous } from "./peril.ts";

// A worker as `satyapan worker` runs it, but for what may happen at its points. Its argument: the seed and the odds,
// whether its locks are those it is shipped with, and by how many ms its clock is wrong.

type Told = Peril & { readonly seed: number; readonly shippedLocks?: boolean; readonly clockOffsetMs?: number };
const { seed, shippedLocks = false, clockOffsetMs = 0, ...peril } = JSON.parse(process.argv[2] ?? "") as Told;
const rightTime = Date.now.bind(Date);
// As if the machine's clock were wrong: for BullMQ, too, which reads it by itself.
if (clockOffsetMs !== 0) Date.now = () => rightTime() + clockOffsetMs;
const env = readEnvironment();
const settings = parseSettings(env, { readFile: (path) => readFileSync(path, "utf8"), operations: OPERATIONS });
const logger = createLogger(settings.logLevel, process.stderr);
const machine = machineFrom(env, process.platform, homedir(), tmpdir());
const onError = (err: Error): void => logger.rarely.warn({ err }, "redis connection error");
const redis = await RedisPair.open(
  settings,
  async (of) => await RedisAccess.open({ settings: of, stateDir: "", machine, onError }),
);
process.once("disconnect", () => process.exit());
const atPoint = perilous(seed, peril);
const worker = await runWorker({
  ...{ settings, redis, logger, now: Date.now, random: Math.random, atPoint },
  // Longer than an attempt takes (two timeouts), shorter than a long freeze.
  ...(shippedLocks ? {} : { lock: { lockMs: 5_500, checkMs: 2_000 } }),
});
process.send?.("ready");
process.once("SIGTERM", () => void worker.stop().then(() => process.exit()));
