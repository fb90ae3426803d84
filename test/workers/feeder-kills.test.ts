import { Writable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { noRows } from "../../src/batches/row-state.ts";
import type { QueuedJob } from "../../src/queues/job-options.ts";
import type { FilledTicket } from "../../src/queues/job-queues.ts";
import { jobIdOf, queueOf } from "../../src/queues/names.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import type { NewJob } from "../../src/records/stored-job.ts";
import { Feeder } from "../../workers/feeder.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { type ClientBundle, startClientBundle } from "../support/client.ts";
import { type Fate, MortalRedis } from "../support/mortal-redis.ts";

const EKO = queueOf("eko");
const ROWS = 5;
/** More than a feeder sends for a batch of so few rows. */
const COMMANDS = 26;

/** A queue, and workers that take of it whatever is there, once each time that it is put there. */
class Workers {
  readonly calls = new Map<string, number>();
  readonly #queued = new Set<string>();
  readonly #bundle: ClientBundle;
  #stopped = false;
  readonly #running: Promise<void>;

  constructor(bundle: ClientBundle) {
    this.#bundle = bundle;
    this.#running = this.#run();
  }

  async add(_queue: unknown, entries: readonly (QueuedJob | FilledTicket)[]): Promise<void> {
    for (const entry of entries) for (const id of "ids" in entry ? entry.ids : [entry.id]) this.#queued.add(id);
    await Promise.resolve();
  }

  async entriesGone(_queue: unknown, entries: readonly string[]): Promise<string[]> {
    return await Promise.resolve(entries.filter((entry) => !this.#queued.has(jobIdOf(entry))));
  }

  async pack(_queue: unknown, jobs: readonly NewJob[]): Promise<NewJob[]> {
    return await Promise.resolve([...jobs]);
  }

  async enqueue(queue: unknown, jobs: readonly NewJob[]): Promise<void> {
    await this.add(
      queue,
      jobs.map(({ id, lane }) => ({ id, lane, verify: false })),
    );
  }

  async close(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await nextTurn();
      const [id] = this.#queued;
      if (id === undefined) continue;
      this.#queued.delete(id);
      // It was settled, or its record is not there: nothing is called.
      const begun = await this.#bundle.begin(id, "eko", `r${this.calls.size}`).then(
        () => true,
        () => false,
      );
      if (!begun) continue;
      this.calls.set(id, (this.calls.get(id) ?? 0) + 1);
      await this.#bundle.finish(id, "eko", "succeeded");
    }
  }
}

function startFeeder(bundle: ClientBundle, redis: ClientBundle["redis"] | MortalRedis, workers: Workers): Feeder {
  const { dataKeys, settings } = bundle;
  const quiet = new Writable({ write: (_chunk, _encoding, done) => done() });
  return new Feeder({
    ...{
      queue: EKO,
      queues: workers,
      packer: workers,
      dataKeys,
      subjectKey: settings.subjectKey,
      retention: settings.retention,
    },
    redis: redis instanceof MortalRedis ? redis.client : redis.client(),
    duty: { held: true, stepAside: async () => await Promise.resolve() },
    metrics: new Metrics(new Registry()),
    logger: createLogger("silent", quiet),
    now: Date.now,
  });
}

/** A feeder meets its fate at that command, and another goes on. */
async function strike(
  bundle: ClientBundle,
  batches: BatchBundle,
  fate: Fate,
  at: number,
  first: number,
): Promise<number> {
  const { id } = await batches.submit(batches.rows(ROWS, (row) => madeUpMobile(first + row, "000")));
  const mortal = new MortalRedis(bundle.redis.client(), fate, at);
  const workers = new Workers(bundle);
  const old = startFeeder(bundle, mortal, workers);
  const ended = batches.ended(id);
  await Promise.race([mortal.struck, ended]);
  if (fate !== "freezes") await old.close();
  const next = startFeeder(bundle, bundle.redis, workers);
  expect((await ended).counts).toEqual({ ...noRows(), succeeded: ROWS });
  mortal.thaw();
  await old.close();
  await next.close();
  await workers.close();
  await batches.recount(id);
  expect((await batches.show(id)).counts).toEqual({ ...noRows(), succeeded: ROWS });
  expect([...workers.calls.entries()].filter(([, count]) => count !== 1)).toEqual([]);
  expect(workers.calls.size).toBe(ROWS);
  expect((await batches.results(id)).map(({ attempts }) => attempts)).toEqual(Array.from({ length: ROWS }, () => 1));
  return mortal.sent;
}

describe.each(["dies before", "dies after", "freezes"] as const)("a feeder that %s one of its commands", (fate) => {
  it("loses no row, calls none twice and miscounts none, whichever command it is", async () => {
    await using bundle = await startClientBundle();
    const batches = new BatchBundle(bundle.redis, bundle.settings);
    let reached = 0;
    for (let at = 1; at <= COMMANDS; at += 1) {
      const sent = await strike(bundle, batches, fate, at, at * ROWS);
      if (sent >= at) reached += 1;
    }
    expect(reached).toBeGreaterThan(10);
  });
});
