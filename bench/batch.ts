import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Queue } from "bullmq";
import { Command } from "commander";
import { type BatchView, type Client, createClient } from "../producers/index.ts";
import type { BatchRow } from "../src/batches/batch-row.ts";
import { madeUpAadhaar, madeUpMobile } from "../simulator/people.ts";
import { type Simulator, startSimulator } from "../simulator/simulator.ts";
import { readEnvironment } from "../src/config/environment.ts";
import { findOperation } from "../src/operations/catalogue.ts";
import { parseInput } from "../src/operations/entry-rules.ts";
import { subjectOf } from "../src/operations/subject.ts";
import { BULLMQ_PREFIX, queueOf } from "../src/queues/names.ts";
import { machineFrom } from "../src/redis/embedded/machine.ts";
import { Secret } from "../src/secrets/secret.ts";
import { keepHeapSmall } from "../bin/small-heap.ts";
import { BenchRedis } from "./bench-redis.ts";
import { memoryUse } from "./memory.ts";
import { Child } from "./child.ts";
import { type CpuProfile, formatProfile } from "./cpu-profile.ts";
import { wholeNumber } from "./options.ts";
import { quietWaits } from "./quiet-batch.ts";
import { percentile } from "./statistics.ts";

// A batch from its rows to its results: what it costs to take in, to keep and to run, and whether others feel it (issue 10).

const QUEUE = queueOf("eko");
const ACTIVE = `${BULLMQ_PREFIX}:${QUEUE}:active`;
const MAIN = new URL("../bin/main.ts", import.meta.url);
/** What intake puts into BullMQ in one go elsewhere. */
const ADD_BULK = 500;
/** The records of rows that ended are gone after this, ms: the batch has what they said. */
const RECORDS_GONE_MS = 70_000;
const MB = 1 << 20;

interface Flags {
  readonly rows: number;
  readonly runRows: number;
  readonly shareRows: number;
  readonly profile?: string | undefined;
}

interface Bar {
  readonly what: string;
  readonly found: string;
  readonly bar: string;
  readonly met: boolean;
}

const program = new Command("bench batch")
  .option("--rows <n>", "rows that are taken in", wholeNumber(1_000, 3_900_000), 1_000_000)
  .option("--run-rows <n>", "rows that are run", wholeNumber(1_000, 1_000_000), 20_000)
  .option("--share-rows <n>", "rows of each batch that shares", wholeNumber(100, 100_000), 2_000)
  .option(
    "--profile <file>",
    "also profile the worker while rows are run, into this file, and print where its CPU time goes",
  );

function sendRow(subjectKey: Secret, row: number): BatchRow {
  const operation = findOperation("eko.dmt-levin.aadhaar-otp");
  const raw = { customer_id: madeUpMobile(row), aadhaar: madeUpAadhaar(row), otp_ref_id: `ref-${row}` };
  const input = parseInput(operation, raw, { now: Date.now(), aadhaarChecksum: true });
  const columns = { "Mobile No": String(input["customer_id"]), Aadhaar: String(input["aadhaar"]), Branch: "Pune 4" };
  return { row, ref: `S-${row}`, subject: subjectOf(subjectKey, operation, input), input, columns, state: "waiting" };
}

function readRow(row: number, from: number): BatchRow {
  const operation = findOperation("eko.dmt-levin.sender");
  const input = parseInput(
    operation,
    { customer_id: madeUpMobile(from + row) },
    { now: Date.now(), aadhaarChecksum: true },
  );
  return {
    row,
    ref: `S-${row}`,
    subject: null,
    input,
    columns: { "Mobile No": String(input["customer_id"]) },
    state: "waiting",
  };
}

async function usedMemory(redis: BenchRedis): Promise<number> {
  const info = await redis.client.info("memory");
  const field = (name: string): number => Number(new RegExp(`^${name}:(\\d+)`, "m").exec(info)?.[1] ?? 0);
  return field("used_memory") - field("mem_clients_normal") - field("mem_aof_buffer");
}

/** What batches take, all of their keys; the audit log and single jobs are others'. */
async function batchBytes(redis: BenchRedis): Promise<number> {
  return (await memoryUse(redis.client)).parts["batch"] ?? 0;
}

/** The rate of taking in, beside plain `addBulk` of the same rows; the most memory meanwhile; what a waiting row takes. */
async function intake(
  redis: BenchRedis,
  plain: BenchRedis,
  client: Client,
  subjectKey: Secret,
  rows: number,
): Promise<Bar[]> {
  let peak = 0;
  const watching = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50);
  const before = await usedMemory(redis);
  function* source(): Generator<BatchRow> {
    for (let row = 1; row <= rows; row += 1) yield sendRow(subjectKey, row);
  }
  const begun = performance.now();
  const view = await client.batches.submitChecked(source(), { operation: "eko.dmt-levin.aadhaar-otp", name: "bench" });
  const tookMs = performance.now() - begun;
  clearInterval(watching);
  if (view.counts.waiting !== rows) throw new Error(`of ${rows} rows ${view.counts.waiting} wait`);
  const bytes = ((await usedMemory(redis)) - before) / rows;
  const queue = new Queue(QUEUE, { connection: plain.client, prefix: BULLMQ_PREFIX });
  const plainBegun = performance.now();
  for (let row = 1; row <= rows; row += ADD_BULK) {
    const jobs = Array.from({ length: Math.min(ADD_BULK, rows - row + 1) }, (_, index) => ({
      name: "call",
      data: {
        customer_id: madeUpMobile(row + index),
        aadhaar: madeUpAadhaar(row + index),
        otp_ref_id: `ref-${row + index}`,
      },
    }));
    await queue.addBulk(jobs);
  }
  const plainMs = performance.now() - plainBegun;
  await queue.close();
  const [rate, plainRate] = [(1_000 * rows) / tookMs, (1_000 * rows) / plainMs];
  return [
    atLeast(
      "rows taken in, of plain addBulk's rate",
      rate / plainRate,
      0.5,
      `${rate.toFixed(0)} of ${plainRate.toFixed(0)} rows/s`,
    ),
    atMost("peak RSS of who submits, MB", peak / MB, 256),
    atMost("bytes of Redis for a waiting row", bytes, 200),
  ];
}

/** What runs a batch. */
interface Running {
  readonly redis: BenchRedis;
  readonly simulator: Simulator;
  readonly client: Client;
  readonly worker: Child;
}

/** A batch that runs: what a finished row takes, how soon interactive work is picked up, how soon a pause is obeyed. */
async function run(
  { redis, simulator, client, worker }: Running,
  { runRows: rows, profile }: Pick<Flags, "runRows" | "profile">,
): Promise<Bar[]> {
  const before = await batchBytes(redis);
  if (profile !== undefined) await worker.ask("startProfile");
  const cpuBefore = await worker.ask<number>("cpu");
  const begun = performance.now();
  const { id } = await client.batches.submitChecked(rowsFrom(rows, 0), {
    operation: "eko.dmt-levin.sender",
    name: "run",
  });
  const pickups: number[] = [];
  let lateMs = 0;
  let isPaused = false;
  let view = await client.batches.show(id);
  while (view.ended_at === null) {
    const job = await client.submit("eko.dmt-levin.sender", { customer_id: madeUpMobile(3_900_000 + pickups.length) });
    const settled = await client.waitFor(job.id);
    pickups.push(Date.parse(settled.attempts[0]?.started_at ?? "") - Date.parse(settled.created_at));
    view = await client.batches.show(id);
    if (!isPaused && view.counts.succeeded > rows / 2) {
      isPaused = true;
      lateMs = await pause(simulator, client, id);
    }
    await sleep(20);
  }
  const perSecond = (1_000 * rows) / (performance.now() - begun);
  const cpu = ((await worker.ask<number>("cpu")) - cpuBefore) / rows;
  if (profile !== undefined) {
    await worker.ask("stopProfile", profile);
    process.stderr.write(`${formatProfile(JSON.parse(readFileSync(profile, "utf8")) as CpuProfile, rows)}\n`);
  }
  await sleep(RECORDS_GONE_MS);
  const bytes = ((await batchBytes(redis)) - before) / rows;
  const records = await redis.client.keys(`satyapan:${QUEUE}:job:${id}-*`);
  if (records.length > 0) throw new Error(`${records.length} records of rows are left`);
  if (view.counts.succeeded !== rows) throw new Error(`not all succeeded: ${JSON.stringify(view.counts)}`);
  return [
    atMost("bytes of Redis for a finished row", bytes, 150),
    atMost(
      "interactive pickup p99 while it runs, ms",
      percentile(pickups, 0.99),
      250,
      `${pickups.length} jobs, ${perSecond.toFixed(0)} rows/s, worker CPU ${cpu.toFixed(0)} µs/row`,
    ),
    atMost("pause to the last call, ms", lateMs, 1_000),
  ];
}

async function pause(simulator: Simulator, client: Client, id: string): Promise<number> {
  const pausedAt = Date.now();
  await client.batches.pause(id);
  let calls = -1;
  let lastAt = pausedAt;
  for (const until = pausedAt + 3_000; Date.now() < until;) {
    const now = simulator.stats().requests;
    if (now !== calls) lastAt = Date.now();
    calls = now;
    await sleep(5);
  }
  await client.batches.resume(id);
  return lastAt - pausedAt;
}

/** How evenly batches that run beside each other get on, by what each had done when the first was through. */
async function share(
  client: Client,
  weights: readonly number[],
  rows: number,
  from: number,
): Promise<readonly number[]> {
  const ids: string[] = [];
  for (const [index, weight] of weights.entries()) {
    const options = { operation: "eko.dmt-levin.sender", name: `share ${index}`, weight };
    const { id } = await client.batches.submitChecked(
      rowsFrom(rows * Math.max(1, weight), from + index * rows * 8),
      options,
    );
    ids.push(id);
    await client.batches.pause(id);
  }
  await Promise.all(ids.map(async (id) => await client.batches.resume(id)));
  for (;;) {
    await sleep(50);
    const views: BatchView[] = await Promise.all(ids.map(async (id) => await client.batches.show(id)));
    if (views.some(({ counts, rows: all }) => counts.succeeded > 0.8 * all)) {
      await Promise.all(ids.map(async (id) => await client.batches.cancel(id)));
      return views.map(({ counts }) => counts.succeeded);
    }
  }
}

/** A quiet batch against what its share alone would give it: whoever has much to do takes nothing of that. */
async function quiet(client: Client, from: number): Promise<Bar> {
  let used = from;
  const next = (rows: number): Iterable<BatchRow> => rowsFrom(rows, (used += rows) - rows);
  const { alone, beside, tinyAlone, tinyBeside } = await quietWaits(client, next);
  const seconds = (ms: number): string => (ms / 1_000).toFixed(2);
  const tiny = `of ten rows ${seconds(tinyBeside)} s, alone ${seconds(tinyAlone)} s`;
  const note = `${seconds(beside)} s, alone on its share ${seconds(alone)} s; ${tiny}`;
  return atMost("a quiet batch's p95 wait beside a noisy one, of that alone", beside / alone, 1.2, note);
}

function* rowsFrom(rows: number, from: number): Generator<BatchRow> {
  for (let row = 1; row <= rows; row += 1) yield readRow(row, from);
}

function jain(values: readonly number[]): number {
  const sum = values.reduce((all, one) => all + one, 0);
  return sum ** 2 / (values.length * values.reduce((all, one) => all + one ** 2, 0));
}

function atLeast(what: string, found: number, bar: number, note = ""): Bar {
  return { what, found: `${found.toFixed(3)}${note === "" ? "" : ` (${note})`}`, bar: `≥ ${bar}`, met: found >= bar };
}

function atMost(what: string, found: number, bar: number, note = ""): Bar {
  return {
    what,
    found: `${found.toFixed(found < 10 ? 2 : 1)}${note === "" ? "" : ` (${note})`}`,
    bar: `≤ ${bar}`,
    met: found <= bar,
  };
}

async function bench({ rows, runRows, shareRows, profile }: Flags): Promise<Bar[]> {
  const machine = machineFrom(readEnvironment(), process.platform, homedir(), tmpdir());
  await using opened = new AsyncDisposableStack();
  const start = async (): Promise<BenchRedis> => opened.use(await BenchRedis.start(machine, true, ACTIVE));
  const [redis, taking, plain] = [await start(), await start(), await start()];
  const simulator = opened.use(await startSimulator({ keepRequests: false, outboxLimit: 1 }));
  const subjectKey = randomBytes(32).toString("base64");
  const settings = {
    ...simulator.env,
    EKO_QUOTA: "1000000/1s",
    SATYAPAN_ENCRYPTION_KEYS: `bench:${randomBytes(32).toString("base64")}`,
    SATYAPAN_SUBJECT_KEY: subjectKey,
    METRICS_PORT: "0",
  };
  const clientOf = ({ address, folder }: BenchRedis): Client =>
    opened.use(createClient({ settings: { ...settings, REDIS_URL: `unix://${address}` }, directory: folder }));
  const bars = await intake(taking, plain, clientOf(taking), new Secret(subjectKey), rows);
  const logFile = join(machine.tmpDir, `satyapan-bench-batch-${process.pid}.log`);
  const env = { ...settings, REDIS_URL: `unix://${redis.address}` };
  const worker = opened.use(
    new Child({ module: MAIN, args: ["worker"], env, imports: [new URL("probe.ts", import.meta.url)], logFile }),
  );
  const client = clientOf(redis);
  bars.push(...(await run({ redis, simulator, client, worker }, { runRows, profile })));
  const equal = await share(client, [1, 1, 1, 1, 1, 1, 1, 1, 1], shareRows, 2_000_000);
  bars.push(atLeast("Jain's index of nine batches of one weight", jain(equal), 0.99, equal.join(" ")));
  const weighted = await share(client, [1, 2, 4], shareRows, 3_000_000);
  const sum = weighted.reduce((all, one) => all + one, 0);
  const off = Math.max(...weighted.map((one, index) => Math.abs(one / sum / (2 ** index / 7) - 1)));
  bars.push(atMost("weights 1:2:4, farthest off, %", 100 * off, 2, weighted.join(" ")));
  bars.push(await quiet(client, 1_500_000));
  return bars;
}

keepHeapSmall();
const bars = await bench(program.parse().opts<Flags>());
for (const { what, found, bar, met } of bars)
  process.stdout.write(`${met ? "met   " : "MISSED"} ${what}: ${found}, bar ${bar}\n`);
