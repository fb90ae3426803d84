import { Writable } from "node:stream";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { FencedError } from "../../src/batches/fenced.ts";
import { isHeld } from "../../src/batches/held.ts";
import { noRows } from "../../src/batches/row-state.ts";
import { Challenges } from "../../src/challenges/challenges.ts";
import { Engine } from "../../src/flows/engine.ts";
import { OnboardingStore } from "../../src/flows/onboarding-store.ts";
import { JobQueues } from "../../src/queues/job-queues.ts";
import { queueOf } from "../../src/queues/names.ts";
import { PARENT_KINDS } from "../../src/records/parent.ts";
import { connectRedis } from "../../src/redis/connection.ts";
import { parseRedisUrl } from "../../src/redis/url.ts";
import { createLogger } from "../../src/telemetry/logger.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { Feeder } from "../../workers/feeder.ts";
import { ParentNewsLoop } from "../../workers/parent-news.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { type ClientBundle, startClientBundle } from "../support/client.ts";
import { type Fate, MortalRedis } from "../support/mortal-redis.ts";

const EKO = queueOf("eko");
const ROWS = 4;
/** More than a feeder sends for a batch of so few rows. */
const COMMANDS = 40;
const DUTY = { held: true, stepAside: async () => await Promise.resolve() };
const LOGGER = createLogger("silent", new Writable({ write: (_chunk, _encoding, done) => done() }));

/** Takes each step's job once, and gives each code that is asked for; whoever looks after onboardings lives. */
class World implements AsyncDisposable {
  readonly calls = new Map<string, number>();
  feeder: Feeder;
  readonly #bundle: ClientBundle;
  readonly #id: string;
  readonly #queues: JobQueues;
  readonly #news: ParentNewsLoop;
  readonly #running: Promise<void>;
  #replaced = Promise.withResolvers<never>();
  #stopped = false;

  constructor(bundle: ClientBundle, id: string, feeder: Feeder) {
    const { settings, dataKeys, records } = bundle;
    const redis = bundle.redis.client();
    this.#bundle = bundle;
    this.#id = id;
    this.feeder = feeder;
    this.#queues = new JobQueues(redis, Date.now);
    const onboardings = new OnboardingStore(redis, settings.retention);
    const deps = { redis, records, queues: this.#queues, dataKeys, settings, subjectKey: settings.subjectKey };
    const challenges = new Challenges({ ...deps, cooldownMs: 0, now: Date.now });
    const engine = new Engine({
      ...{ ...deps, cooldownMs: 0, now: Date.now, onboardings, challenges },
      isHeld: async (queue, onboarding) => await isHeld(redis, queue, onboarding),
    });
    this.#replaced.promise.catch(() => {});
    this.#news = new ParentNewsLoop({
      ...{ queues: [EKO], duty: DUTY, metrics: new Metrics(new Registry()), logger: LOGGER },
      connect: () => connectRedis(parseRedisUrl(bundle.redis.url), "client", () => {}),
      handlers: {
        [PARENT_KINDS.onboarding]: async (queue, news) => {
          for (const { parent } of news) await engine.advance(queue, parent.of);
        },
        [PARENT_KINDS.batch]: async (_queue, news) =>
          await Promise.race([this.feeder.told(news), this.#replaced.promise]),
      },
    });
    this.#running = this.#run();
  }

  /** Another feeder works from now on. */
  replace(feeder: Feeder): void {
    this.feeder = feeder;
    this.#replaced.reject(new FencedError("another feeder works by now"));
    this.#replaced = Promise.withResolvers<never>();
    this.#replaced.promise.catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running;
    await this.#news.close();
    await this.#queues.close();
  }

  async #run(): Promise<void> {
    const answered = new Set<string>();
    while (!this.#stopped) {
      await nextTurn();
      const queued = await this.#bundle.queued("eko");
      for (const job of queued.filter((one) => one.startsWith(`${this.#id}-`) && !this.calls.has(one))) {
        this.calls.set(job, 0);
        await this.#bundle.begin(job, "eko", `r${this.#id}${this.calls.size}`);
        this.calls.set(job, 1);
        const result = job.endsWith("-send") ? { otp_sent: true } : { verified: true };
        await this.#bundle.finish(job, "eko", "succeeded", { result });
        if (!job.endsWith("-send") || answered.has(job)) continue;
        answered.add(job);
        await this.#bundle.client.answer(job.slice(0, -"-send".length), "123456");
      }
    }
  }
}

function startFeeder(bundle: ClientBundle, redis: ClientBundle["redis"] | MortalRedis): Feeder {
  const { dataKeys, settings } = bundle;
  const none = async () => await Promise.resolve();
  return new Feeder({
    ...{ queue: EKO, dataKeys, subjectKey: settings.subjectKey, retention: settings.retention, duty: DUTY },
    queues: { add: none, entriesGone: async () => await Promise.resolve([]) },
    packer: { pack: async (_queue, jobs) => await Promise.resolve([...jobs]), enqueue: none },
    redis: redis instanceof MortalRedis ? redis.client : redis.client(),
    ...{ metrics: new Metrics(new Registry()), logger: LOGGER, now: Date.now },
  });
}

/** A feeder meets its fate at that command, and another goes on. How many it sent. */
async function strike(bundle: ClientBundle, batches: BatchBundle, fate: Fate, at: number): Promise<number> {
  const rows = batches.flowRows("eko.mobile", ROWS, (row) => ({
    mobile: madeUpMobile(at * ROWS + row, "000"),
    csp_id: "9000000001",
  }));
  const { id } = await batches.submit(rows, { flow: "eko.mobile" });
  const mortal = new MortalRedis(bundle.redis.client(), fate, at);
  const old = startFeeder(bundle, mortal);
  const world = new World(bundle, id, old);
  const ended = batches.ended(id);
  await Promise.race([mortal.struck, ended]);
  if (fate !== "freezes") await old.close();
  const next = startFeeder(bundle, bundle.redis);
  world.replace(next);
  expect((await ended).counts).toEqual({ ...noRows(), succeeded: ROWS });
  mortal.thaw();
  await old.close();
  await next.close();
  await world[Symbol.asyncDispose]();
  await batches.recount(id);
  expect((await batches.show(id)).counts).toEqual({ ...noRows(), succeeded: ROWS });
  const steps = Array.from({ length: ROWS }, (_, index) => [`${id}-${index + 1}-send`, `${id}-${index + 1}-send-v1`]);
  expect([...world.calls.keys()].toSorted()).toEqual(steps.flat().toSorted());
  expect((await batches.results(id)).map(({ attempts }) => attempts)).toEqual(rows.map(() => 2));
  return mortal.sent;
}

describe.each(["dies before", "dies after", "freezes"] as const)(
  "a feeder of flows that %s one of its commands",
  (fate) => {
    it("loses no row, calls none twice and miscounts none, whichever command it is", async () => {
      await using bundle = await startClientBundle();
      const batches = new BatchBundle(bundle.redis, bundle.settings);
      let reached = 0;
      for (let at = 1; at <= COMMANDS; at += 1) {
        const sent = await strike(bundle, batches, fate, at);
        if (sent >= at) reached += 1;
      }
      expect(reached).toBeGreaterThan(15);
    });
  },
);
