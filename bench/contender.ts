import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Machine } from "../src/redis/embedded/machine.ts";
import { BenchRedis } from "./bench-redis.ts";
import { Child } from "./child.ts";
import { monotonicMs } from "./clock.ts";
import type { Arrival, Seen } from "./http-server.ts";
import { type RedisUsage, usageBetween, without } from "./redis-usage.ts";
import { person, type Person, type Place, type Side } from "./side.ts";
import { percentile } from "./statistics.ts";

/** What all contenders share. */
export interface Arena {
  readonly machine: Machine;
  /** Answers `http-server.ts`' questions. */
  readonly server: Child;
  /** Its scheme, host and port. */
  readonly origin: string;
  readonly aof: boolean;
  readonly concurrency: number;
  /** How many jobs a worker does before it is measured. */
  readonly warmUpJobs: number;
}

/** What a worker did with jobs that were all there when it began. */
export interface Drain {
  readonly jobs: number;
  /** From the first pick-up to the last job's end. */
  readonly tookMs: number;
  /** CPU time of the worker's process and of the HTTP server's, in µs. */
  readonly workerCpuUs: number;
  readonly serverCpuUs: number;
  readonly redis: RedisUsage;
  /** All requests on the wire. */
  readonly requestBytes: number;
}

/** In ms, from the call of submit to the request's arrival at the server. */
export interface SubmitToWire {
  readonly p50: number;
  readonly p99: number;
}

const WARM_UP_CHUNK = 4_000;
/** Jobs that take longer, in ms, are stuck. */
const LONGEST_MS = 60_000;

/** One side with a Redis and a worker process of its own, which stay as they are from round to round: warm. */
export class Contender implements AsyncDisposable {
  readonly #server: Child;
  readonly #redis: BenchRedis;
  readonly #side: Side;
  readonly #worker: Child;
  readonly #opened: AsyncDisposableStack;
  #persons = 0;

  private constructor(server: Child, redis: BenchRedis, side: Side, worker: Child, opened: AsyncDisposableStack) {
    this.#server = server;
    this.#redis = redis;
    this.#side = side;
    this.#worker = worker;
    this.#opened = opened;
  }

  static async open(arena: Arena, openSide: (place: Place) => Side): Promise<Contender> {
    const { machine, server, origin, aof, concurrency, warmUpJobs } = arena;
    await using opened = new AsyncDisposableStack();
    const redis = opened.use(await BenchRedis.start(machine, aof));
    const side = openSide({ redis: redis.socket, origin, concurrency });
    opened.defer(async () => await side.close());
    const worker = opened.use(
      new Child({
        ...side.worker,
        imports: [new URL("probe.ts", import.meta.url)],
        logFile: join(redis.folder, "worker.log"),
      }),
    );
    const contender = new Contender(server, redis, side, worker, opened.move());
    for (let left = warmUpJobs; left > 0; left -= WARM_UP_CHUNK) {
      await contender.drain(Math.min(left, WARM_UP_CHUNK));
    }
    return contender;
  }

  /** Submits `jobs` jobs while the worker stands still, then lets it work them off. `profile`: into this file. */
  async drain(jobs: number, profile?: string): Promise<Drain> {
    const [server, worker, redis] = [this.#server, this.#worker, this.#redis];
    if (profile !== undefined) await worker.ask("startProfile");
    const cpuBefore = await worker.ask<number>("cpu");
    worker.freeze();
    await this.#side.submitMany(this.#nextPersons(jobs));
    await server.ask("reset");
    const serverBefore = await server.ask<number>("cpu");
    const redisBefore = await redis.usage();
    const startedAt = monotonicMs();
    worker.thaw();
    const looks = await this.#finished(jobs);
    const tookMs = monotonicMs() - startedAt;
    const redisAfter = await redis.usage();
    const cpuAfter = await worker.ask<number>("cpu");
    const serverAfter = await server.ask<number>("cpu");
    const { requests, bytes } = await server.ask<Seen>("seen");
    if (profile !== undefined) await worker.ask("stopProfile", profile);
    await this.#side.assertAllDone();
    if (requests !== jobs) throw new Error(`${jobs} jobs made ${requests} requests`);
    return {
      jobs,
      tookMs,
      workerCpuUs: cpuAfter - cpuBefore,
      serverCpuUs: serverAfter - serverBefore,
      redis: without(usageBetween(redisBefore, redisAfter), { info: 1, llen: looks }),
      requestBytes: bytes,
    };
  }

  /** An open loop: `jobs` jobs are submitted on time, `rate` a second, whether or not those before have arrived. */
  async submitToWire(jobs: number, rate: number): Promise<SubmitToWire> {
    const persons = this.#nextPersons(jobs);
    const submittedAt = new Map<string, number>();
    const submissions: Promise<void>[] = [];
    await this.#server.ask("reset", true);
    const startedAt = monotonicMs();
    for (const [index, one] of persons.entries()) {
      const wait = startedAt + (index * 1_000) / rate - monotonicMs();
      if (wait > 0) await sleep(wait);
      submittedAt.set(one.cspId, monotonicMs());
      submissions.push(this.#side.submit(one));
    }
    await Promise.all(submissions);
    await this.#finished(jobs);
    const arrivals = await this.#server.ask<Arrival[]>("arrivals");
    await this.#side.assertAllDone();
    const times = arrivals.map(([cspId, at]) => at - (submittedAt.get(cspId) ?? Number.NaN));
    if (times.length !== jobs || times.some(Number.isNaN)) throw new Error("requests and jobs do not match");
    return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }

  /** Resolves with how often Redis was asked for it. */
  async #finished(jobs: number): Promise<number> {
    const all = (async () => {
      await this.#server.ask("await", jobs);
      return await this.#redis.settled();
    })();
    const late = AbortSignal.timeout(LONGEST_MS);
    const stuck = new Promise<never>((_, reject) => {
      late.addEventListener("abort", () => reject(new Error(`${jobs} jobs were not done in ${LONGEST_MS / 1_000} s`)));
    });
    return await Promise.race([all, this.#worker.failed, stuck]);
  }

  #nextPersons(count: number): Person[] {
    return Array.from({ length: count }, () => person(this.#persons++));
  }
}
