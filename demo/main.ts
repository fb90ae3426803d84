import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient } from "../producers/index.ts";
import { OutcomeTable } from "../producers/report/outcome-table.ts";
import { stateCounts } from "../producers/report/state-counts.ts";
import type { ConfigurationPatch } from "../simulator/configuration.ts";
import { startSimulator } from "../simulator/simulator.ts";
import { readEnvironment } from "../src/config/environment.ts";
import { SatyapanError } from "../src/base/error.ts";
import { openEmbeddedRedis } from "../src/redis/embedded/embedded-redis.ts";
import { machineFrom } from "../src/redis/embedded/machine.ts";
import type { JobRecord } from "../src/records/record.ts";
import { Display } from "./display.ts";
import { travel } from "./journey.ts";
import { Phone } from "./phone.ts";
import { readSenders, SENDS } from "./senders.ts";
import { sightings } from "./sightings.ts";
import { Workers } from "./workers.ts";

const WORKERS = 2;
const JOB_TIMEOUT_MS = 55_000;
const FILE = fileURLToPath(new URL("../examples/senders.csv", import.meta.url));

/** What differs from the defaults, so that the main job fits into a minute; shown on the screen. */
const SETTINGS = {
  EKO_QUOTA: "100/1s",
  DEEPVUE_QUOTA: "20/1s",
  DEEPVUE_PENDING_DELAYS: "2s,4s",
  OTP_COOLDOWN: "2s",
  BACKOFF_BASE: "200ms",
} as const;
/** Wider than the workers' own, so that the simulator's 429 would show a worker that goes over. */
const SIMULATOR: ConfigurationPatch = {
  quotas: { eko: [{ max: 200, ms: 1_000 }], deepvue: [{ max: 40, ms: 1_000 }] },
  pendingWindowMs: 2_000,
  latencyMs: { min: 20, max: 250 },
};

const stdout = process.stdout;

async function demo(signal: AbortSignal): Promise<number> {
  const startedAt = Date.now();
  await using resources = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), "satyapan-demo-"));
  resources.defer(() => rmSync(folder, { recursive: true, force: true }));
  const env = readEnvironment();
  const machine = machineFrom(env, process.platform, homedir(), tmpdir());
  const say = (line: string): void => void stdout.write(`${line}\n`);
  const redis = await openEmbeddedRedis({ dir: join(folder, ".satyapan"), machine, say });
  resources.defer(async () => await redis.close());
  signal.throwIfAborted();
  const simulator = resources.use(await startSimulator({ configuration: SIMULATOR }));
  const settings = {
    ...SETTINGS,
    ...simulator.env,
    REDIS_URL: `unix://${redis.path}`,
    SATYAPAN_ENCRYPTION_KEYS: `demo:${randomBytes(32).toString("base64")}`,
    SATYAPAN_SUBJECT_KEY: randomBytes(32).toString("base64"),
    METRICS_PORT: "0",
    LOG_LEVEL: "info",
  };
  const { PATH = "" } = env;
  const logFile = join(folder, "workers.log");
  const workers = resources.use(Workers.start(WORKERS, { PATH, ...settings }, logFile));
  const client = resources.use(createClient({ settings, directory: folder }));
  signal.throwIfAborted();

  const senders = await readSenders("examples/senders.csv", readFileSync(FILE, "utf8"));
  introduce(senders.length, simulator.url);
  const records: JobRecord[] = [];
  const totals = new Map(SENDS.flatMap((send) => [send, `${send}.verify`]).map((name) => [name, senders.length]));
  {
    using display = new Display(stdout, totals);
    const onSettled = (record: JobRecord): void => {
      records.push(record);
      display.settled(record);
    };
    const deps = { client, phone: new Phone(simulator), onSettled, timeoutMs: JOB_TIMEOUT_MS };
    const all = Promise.all(
      SENDS.map(async (send) => {
        const sent = await client.submitManyUnchecked(
          send,
          senders.map((sender) => sender.input(send)),
        );
        await Promise.all(senders.map(async (sender, index) => await travel(send, sender, at(sent, index), deps)));
      }),
    );
    await Promise.race([all, workers.watch(), aborted(signal)]);
  }
  return conclude(records, simulator.stats(), Date.now() - startedAt);
}

function introduce(senders: number, url: string): void {
  stdout.write(
    [
      "Satyapan demo: everything here is made up, and nothing leaves this machine.",
      `  ${senders} senders of examples/senders.csv, ${SENDS.length * 2} operations, ${WORKERS} worker processes, an embedded Redis,`,
      `  and a stand-in for Eko and Deepvue at ${url}.`,
      "  The demo brings its own settings, so that quotas and waits fit into a minute:",
      `  ${Object.entries(SETTINGS)
        .map(([name, value]) => `${name}=${value}`)
        .join(" ")}`,
      "  (Deepvue's starter plan really allows 1/1s,30/1m,1000/1d, and its 409 is waited out by 60s,120s,300s.)",
      "",
      "",
    ].join("\n"),
  );
}

function conclude(
  records: readonly JobRecord[],
  stats: { readonly otps_sent: number; readonly quotas: unknown },
  tookMs: number,
): number {
  const seen = sightings(records);
  const width = String(Math.max(...seen.map(({ count }) => count))).length;
  stdout.write(
    [
      "",
      OutcomeTable.of(records).format(),
      `${records.length} jobs in ${(tookMs / 1_000).toFixed(1)} s: ${stateCounts(records)}; ${stats.otps_sent} OTPs were sent.`,
      "",
      "Met on the way:",
      ...seen.map(
        ({ what, count, example }) =>
          `  ${String(count).padStart(width)} × ${what}${example === null ? "" : ` (job ${example})`}`,
      ),
      "",
      "Where to look next:",
      "  README.md                                  your first job, with the simulator or with real credentials",
      "  npx satyapan operations                    what can be submitted, with input schemas and examples",
      "  npx satyapan simulator                     the same stand-in, for your own tries",
      "  simulator/endings.ts                       numbers whose last digits choose what the stand-in answers",
      "  docs/deployment.md                         the same in containers, with Prometheus and a Grafana dashboard",
      "",
    ].join("\n"),
  );
  const missing = seen.filter(({ count }) => count === 0);
  for (const { what } of missing) process.stderr.write(`demo: not met: ${what}\n`);
  return missing.length === 0 ? 0 : 1;
}

function at<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`nothing at ${index}`);
  return item;
}

async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new Interrupted()), { once: true });
    if (signal.aborted) reject(new Interrupted());
  });
}

class Interrupted extends Error {}

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(name, () => stop.abort(new Interrupted()));
try {
  process.exitCode = await demo(stop.signal);
} catch (error) {
  if (error instanceof Interrupted) {
    stdout.write("\ndemo interrupted; everything it started was stopped\n");
    process.exitCode = 130;
  } else if (error instanceof SatyapanError) {
    process.stderr.write(`demo: ${error.message}\n`);
    process.exitCode = 1;
  } else {
    throw error;
  }
}
