import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import type { InputOf, OperationName } from "../src/operations/catalogue.ts";
import type { Explanation } from "./jobs/explanation.ts";
import type { JobRecord } from "../src/records/record.ts";
import type { Lane } from "../src/outcomes/lane.ts";
import { createIds } from "../src/records/ids.ts";
import { isTerminal } from "../src/outcomes/state.ts";
import { ready, type RedisClient } from "../src/redis/connection.ts";
import { queuePrefix, queueOf } from "../src/queues/names.ts";
import { RedisClock } from "../src/redis/clock.ts";
import { checkActor } from "./actor.ts";
import { type CheckedInput, InputCheck } from "./jobs/input-check.ts";
import { explainJob } from "./jobs/explain-job.ts";
import { FailedJobs } from "./failed/failed-jobs.ts";
import { Gates } from "./gates/gates.ts";
import { type AcceptOptions, checkIds, Intake } from "./jobs/intake.ts";
import { checkIfPending, type IfPending } from "./jobs/open-challenges.ts";
import { connectClient, type OpenDeps, type ClientConnections } from "./client-connections.ts";
import { Patience, type PatienceOptions } from "./patience.ts";
import { readRecords } from "./jobs/read-records.ts";
import { reveal, type Revealed, type RevealOptions } from "./jobs/reveal.ts";
import { redisFailure } from "../src/redis/failure.ts";
import { SamePersonError, samePersons } from "./jobs/same-person.ts";
import { jobTerms } from "./jobs/job-terms.ts";
import { settle, type SettleDecision, type SettleOptions } from "./jobs/settle.ts";
import { unknownJob } from "./jobs/find-job.ts";

export { unknownJob };

export interface SubmitOptions extends PatienceOptions {
  /** The caller's own id: the same one twice gives the first job back. Default: a new one. */
  readonly id?: string;
  /**
   * Name of the batch it belongs to, 1 to 64 characters of A-Z a-z 0-9 . _ -: its sealed values have a data key of their own,
   * which `satyapan shred --batch` destroys. Default: the key of the day.
   */
  readonly batch?: string;
  /** Default `interactive`. */
  readonly lane?: Lane;
  /** A duration such as `"10m"`, or milliseconds: past it the job is `expired` and never called. Default: none. */
  readonly expiresIn?: string | number;
  /**
   * Only for an operation that sends an OTP: where one to the same person is open, or is still to be sent, `reuse` gives that
   * job back, marked `reused`, and sends nothing; inputs of one `submitMany` for one person get the first one's job. `wait`:
   * another is sent after the cooldown. Default: `wait`, but of one `submitMany` no two may be for one person
   * (SamePersonError `same-person`, nothing accepted).
   */
  readonly ifPending?: IfPending;
}

export interface SubmitManyOptions extends SubmitOptions {
  /** With it, row n (from 1) gets the id `ID-n`, so that a file can be submitted again after an interruption. */
  readonly id?: string;
  /** Default `bulk`. */
  readonly lane?: Lane;
  /** Called after each chunk with the number of jobs accepted so far. */
  readonly onAccepted?: (count: number) => void;
}

export interface WaitOptions {
  /** Default 60 s. */
  readonly timeoutMs?: number;
  /** Aborted, it ends the waiting as if the time were up. */
  readonly signal?: AbortSignal;
}

export interface ClientDeps extends OpenDeps {
  /** Who uses it, for the audit log: `command:USER`, `library:NAME`. */
  readonly actor: string;
}

// A settled message can be lost with a connection: whoever waits looks by himself this often.
const LOOK_MS = 2_000;
/** So long Redis' time is good without asking again, in ms. */
const TIME_FOR_MS = 10_000;
const DEFAULT_WAIT_MS = 60_000;

/** Submits jobs and reads their records. Safe to share; fails in milliseconds while Redis is away, and recovers by itself. */
export class Client implements AsyncDisposable {
  /** Jobs whose attempts were used up: list, try again, drop. */
  readonly failed: FailedJobs;
  /** What stands before each provider: quotas, holds. */
  readonly gates: Gates;
  readonly #deps: ClientDeps;
  readonly #check: InputCheck;
  readonly #ids = createIds();
  /** Redis' time, learnt from it: what a producer's own clock says is of no matter. */
  readonly #clock: RedisClock;
  #opening: Promise<ClientConnections> | null = null;
  #closed = false;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
    this.#clock = new RedisClock({ now: deps.now });
    const now = (): number => this.#clock.now();
    this.#check = new InputCheck({
      fields: async (queue, id) => await this.#withRedis(async ({ records }) => await records.fields(queue, id)),
      opener: async (texts) => await this.#withRedis(async ({ dataKeys }) => await dataKeys.opener(texts)),
      settings: deps.settings,
      now,
    });
    const actor = { name: deps.actor, now };
    this.failed = new FailedJobs(async (work) => await this.#withRedis(work), actor);
    this.gates = new Gates(async (work) => await this.#withRedis(work), actor);
  }

  /** Submits one job; its record, with `duplicate: true` if the id was there before. Throws SatyapanError. */
  async submit<Name extends OperationName>(
    operation: Name,
    input: InputOf<Name>,
    options: SubmitOptions = {},
  ): Promise<JobRecord> {
    return await this.submitUnchecked(operation, input, options);
  }

  /** `submit` for names and inputs that are known only at run time; checked just the same. */
  async submitUnchecked(operation: string, input: unknown, options: SubmitOptions = {}): Promise<JobRecord> {
    const terms = jobTerms(options, "interactive", this.#clock.now());
    const patience = new Patience(options, this.#deps.now);
    const ids = [options.id ?? null];
    const checked = await patience.run(async () => await this.#check.check(operation, input, options.id ?? null));
    const [record] = await this.#accept([checked], { ...terms, ids, patience }, options.ifPending);
    return record ?? missing();
  }

  /** Checks every input before any is accepted, then submits them in chunks. Throws SatyapanError naming each bad one. */
  async submitMany<Name extends OperationName>(
    operation: Name,
    inputs: readonly InputOf<Name>[],
    options: SubmitManyOptions = {},
  ): Promise<JobRecord[]> {
    return await this.submitManyUnchecked(operation, inputs, options);
  }

  async submitManyUnchecked(
    operation: string,
    inputs: readonly unknown[],
    options: SubmitManyOptions = {},
  ): Promise<JobRecord[]> {
    const terms = jobTerms(options, "bulk", this.#clock.now());
    const ids = inputs.map((_, index) => (options.id === undefined ? null : `${options.id}-${index + 1}`));
    const patience = new Patience(options, this.#deps.now);
    const checked = await patience.run(async () => await this.#check.checkAll(operation, inputs, ids));
    const { onAccepted } = options;
    return await this.#accept(checked, { ...terms, ids, patience, onAccepted }, options.ifPending);
  }

  /** The record of a job, or null. */
  async get(id: string): Promise<JobRecord | null> {
    const [record = null] = await this.getMany([id]);
    return record;
  }

  /** Why a job is not done yet, and when it will be tried; null: there is no such job. */
  async explain(id: string): Promise<Explanation | null> {
    return await this.#withRedis(async (opened) => await explainJob(opened, id));
  }

  /** The records of many jobs, null where there is none; in order. */
  async getMany(ids: readonly string[]): Promise<(JobRecord | null)[]> {
    return await this.#withRedis(async (opened) => await readRecords(opened, ids));
  }

  /**
   * Decides a job that is `unknown`: it happened, it did not, or it is sent once more (after what is left of the person's
   * cooldown). The record after it. Throws SatyapanError: `unknown-job`, `bad-input` where it is not `unknown`, `expired`.
   */
  async settle(id: string, decision: SettleDecision, options: SettleOptions): Promise<JobRecord> {
    const { settings, actor } = this.#deps;
    const by = { name: actor, now: () => this.#clock.now() };
    return await this.#withRedis(async (opened) => await settle(opened, settings, by, id, decision, options));
  }

  /** A job's sealed values in clear, written into the audit log first. Throws SatyapanError: see `reveal.ts`. */
  async reveal(id: string, options: RevealOptions): Promise<Revealed> {
    const { actor } = this.#deps;
    const now = (): number => this.#clock.now();
    const by = { name: options.actor === undefined ? actor : `library:${checkActor(options.actor)}`, now };
    return await this.#withRedis(async (opened) => await reveal(opened, by, id, options));
  }

  /** Resolves with the record once the job is settled. Throws SatyapanError `wait-timeout` or `unknown-job`. */
  async waitFor(id: string, { timeoutMs = DEFAULT_WAIT_MS, signal }: WaitOptions = {}): Promise<JobRecord> {
    const { listener } = await this.#open();
    await this.#withRedis(async () => await listener.subscribe());
    const deadline = this.#deps.now() + timeoutMs;
    let wake = (): void => {};
    const wakeUp = (): void => wake();
    const stop = listener.listen(id, wakeUp);
    signal?.addEventListener("abort", wakeUp);
    try {
      for (;;) {
        // Before the look, so that what happens during it is not missed.
        const woken = new Promise<void>((resolve) => (wake = resolve));
        const record = await this.get(id);
        if (record === null) throw unknownJob(id);
        if (isTerminal(record.state)) return record;
        const left = deadline - this.#deps.now();
        if (!(left > 0) || signal?.aborted === true) throw stillOpen(record);
        const timer = setTimeout(wakeUp, Math.min(left, LOOK_MS));
        await woken;
        clearTimeout(timer);
      }
    } finally {
      stop();
      signal?.removeEventListener("abort", wakeUp);
    }
  }

  /** Closes the connections; the client cannot be used again. Never hangs. */
  async close(): Promise<void> {
    this.#closed = true;
    const opening = this.#opening;
    this.#opening = null;
    const opened = await opening?.catch(() => null);
    if (opened === null || opened === undefined) return;
    opened.listener.wakeAll();
    await opened.queues.close();
    await opened.pair.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #accept(
    inputs: readonly CheckedInput[],
    options: Omit<AcceptOptions, "ifPending">,
    given?: IfPending,
  ): Promise<JobRecord[]> {
    const ifPending = given ?? "wait";
    checkIds(inputs, options.ids);
    checkIfPending(ifPending, inputs);
    const groups = samePersons(this.#deps.settings, inputs);
    if (given === undefined && groups.length > 0) throw new SamePersonError(groups);
    // With reuse, the first of a person's is submitted for all of them.
    const firsts = new Map(
      ifPending === "reuse" ? groups.flatMap(([first = 0, ...rest]) => rest.map((row) => [row, first])) : [],
    );
    await options.patience.run(async () => await this.#open());
    return await this.#withRedis(async (opened) => {
      const { settings, actor } = this.#deps;
      const now = (): number => this.#clock.now();
      const intake = new Intake({ ...opened, settings, ids: this.#ids, actor, now });
      const isNew = ({ known }: CheckedInput, index: number): boolean => known === null && !firsts.has(index);
      const ids = inputs.flatMap((input, index) => (isNew(input, index) ? [options.ids[index] ?? null] : []));
      const accepted = (await intake.accept(inputs.filter(isNew), { ...options, ids, ifPending })).values();
      const records: JobRecord[] = [];
      for (const [index, { known }] of inputs.entries()) {
        const first = records[firsts.get(index) ?? -1];
        if (known !== null) records.push({ ...known, duplicate: true });
        else if (first !== undefined) records.push({ ...first, reused: true });
        else records.push(accepted.next().value ?? missing());
      }
      return records;
    });
  }

  /** Connects at first use. What goes wrong in Redis comes out as SatyapanError. */
  async #withRedis<T>(work: (opened: ClientConnections) => Promise<T>): Promise<T> {
    const opened = await this.#open();
    try {
      return await work(opened);
    } catch (error) {
      throw await redisFailure(error, opened.redis);
    }
  }

  async #open(): Promise<ClientConnections> {
    if (this.#closed) throw new SatyapanError(ErrorCode.CLOSED, "this client is closed; create a new one");
    this.#opening ??= connectClient({ ...this.#deps, now: () => this.#clock.now() });
    let opened;
    try {
      opened = await this.#opening;
    } catch (error) {
      this.#opening = null;
      throw error;
    }
    await ready(opened.redis);
    await this.#learnTime(opened.redis);
    return opened;
  }

  async #learnTime(redis: RedisClient): Promise<void> {
    try {
      await this.#clock.learn(redis, `${queuePrefix(queueOf("eko"))}control`, TIME_FOR_MS);
    } catch (error) {
      throw await redisFailure(error, redis);
    }
  }
}

function missing(): never {
  throw new TypeError("no record for a submitted job");
}

function stillOpen({ id, state }: JobRecord): SatyapanError {
  return new SatyapanError(ErrorCode.WAIT_TIMEOUT, `job ${id} is still ${state}`);
}
