import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Child } from "./child.ts";
import { monotonicMs } from "./clock.ts";
import type { Arrival, Seen } from "./http-server.ts";
import { type RedisUsage, usageBetween, without } from "./redis-usage.ts";
import { person, type Person, type Place, type Side } from "./side.ts";
import { percentile } from "./statistics.ts";
import type { OwnCommands, Store } from "./store.ts";

/** What all contenders share. */
export interface Arena {
  /** Answers `http-server.ts`' questions. */
  readonly server: Child;
  /** Its scheme, host and port. */
  readonly origin: string;
  readonly concurrency: number;
  /** How many jobs a worker does before it is measured. */
  readonly warmUpJobs: number;
}

/** What a worker did with jobs that were all there when it began. */
export interface Drain {
  readonly jobs: number;
  /** From the first pick-up to the last job's end. */
  readonly tookMs: number;
  /** CPU time of the worker's process and of the HTTP server's, in µs, that of the aftermath included. */
  readonly workerCpuUs: number;
  readonly serverCpuUs: number;
  readonly redis: RedisUsage;
  /** What of that came after the last job's end: the aftermath. */
  readonly late: { readonly workerCpuUs: number; readonly redisCpuUs: number };
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

/** One side with a store and a worker process of its own, which stay as they are from round to round: warm. */
export class Contender implements AsyncDisposable {
  readonly #server: Child;
  readonly #store: Store;
  readonly #side: Side;
  readonly #worker: Child;
  readonly #opened: AsyncDisposableStack;
  #persons = 0;

  private constructor(server: Child, store: Store, side: Side, worker: Child, opened: AsyncDisposableStack) {
    this.#server = server;
    this.#store = store;
    this.#side = side;
    this.#worker = worker;
    this.#opened = opened;
  }

  /** The store is gone with it. */
  static async open(arena: Arena, store: Store, openSide: (place: Place) => Side): Promise<Contender> {
    const { server, origin, concurrency, warmUpJobs } = arena;
    await using opened = new AsyncDisposableStack();
    opened.use(store);
    const { folder, address } = store;
    const side = openSide({ store: address, folder, origin, concurrency });
    opened.defer(async () => await side.close());
    const worker = opened.use(
      new Child({
        ...side.worker,
        imports: [new URL("probe.ts", import.meta.url)],
        logFile: join(folder, "worker.log"),
      }),
    );
    const contender = new Contender(server, store, side, worker, opened.move());
    for (let left = warmUpJobs; left > 0; left -= WARM_UP_CHUNK) {
      await contender.drain(Math.min(left, WARM_UP_CHUNK));
    }
    return contender;
  }

  /** Submits `jobs` jobs while the worker stands still, then lets it work them off. `profile`: into this file. */
  async drain(jobs: number, profile?: string): Promise<Drain> {
    const [server, worker, store] = [this.#server, this.#worker, this.#store];
    if (profile !== undefined) await worker.ask("startProfile");
    const cpuBefore = await worker.ask<number>("cpu");
    worker.freeze();
    await this.#side.submitMany(this.#nextPersons(jobs));
    await server.ask("reset");
    const serverBefore = await server.ask<number>("cpu");
    const usageBefore = await store.usage();
    const startedAt = monotonicMs();
    worker.thaw();
    const looks = await this.#finished(jobs);
    const tookMs = monotonicMs() - startedAt;
    const [cpuThen, usageThen] = [await worker.ask<number>("cpu"), await store.usage()];
    const after = (await this.#side.aftermath?.()) ?? {};
    const usageAfter = await store.usage();
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
      redis: without(usageBetween(usageBefore, usageAfter), { info: 2, ...looks, ...after }),
      late: { workerCpuUs: cpuAfter - cpuThen, redisCpuUs: usageAfter.cpuUs - usageThen.cpuUs },
      requestBytes: bytes,
    };
  }

  /** `jobs` jobs wait, then are done: `look` is asked before, in between, and after. */
  async inBetween<Look>(
    jobs: number,
    look: () => Promise<Look>,
  ): Promise<readonly [before: Look, waiting: Look, done: Look]> {
    const before = await look();
    this.#worker.freeze();
    await this.#side.submitMany(this.#nextPersons(jobs));
    const waiting = await look();
    await this.#server.ask("reset");
    this.#worker.thaw();
    await this.#finished(jobs);
    await this.#side.aftermath?.();
    const done = await look();
    await this.#side.assertAllDone();
    return [before, waiting, done];
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

  /** Resolves with the commands that it took to know. */
  async #finished(jobs: number): Promise<OwnCommands> {
    const all = (async () => {
      await this.#server.ask("await", jobs);
      return await this.#store.settled();
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
