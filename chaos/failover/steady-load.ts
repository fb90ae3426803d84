import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "../../producers/client.ts";
import type { OutboxMessage } from "../../simulator/outbox.ts";
import { SatyapanError } from "../../src/base/error.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { isTerminal } from "../../src/outcomes/state.ts";
import type { AcceptedJob } from "../accepted-job.ts";
import { DRAWN, fileOf, inputOf } from "../load.ts";
import type { Dice } from "../random.ts";
import { wordOf } from "./refusals.ts";

export interface SteadyLoadOptions {
  readonly submitter: Client;
  readonly watcher: Client;
  readonly phone: (person: string) => Promise<OutboxMessage | null>;
  readonly dice: Dice;
  /** Persons a second; with the verifies about 1.7 times as many calls. */
  readonly rate: number;
}

/** Between two looks at the jobs that are open, in ms. */
const LOOK_MS = 250;
/** The time for which a submit is tried, as `--retry-for` does by default; in ms. */
const PATIENCE_MS = 60_000;
const VERIFIED = 0.8;
/** Of all persons, so many come in files whose jobs share tickets; and a file's rows. */
const FROM_FILES = 0.5;
const ROWS = { least: 2, most: 24 };
/** The looks in a row at which a record has to be missing to be lost. */
const LOOKS_FOR_LOST = 8;

/** Submits for a fixed number of persons a second, whatever happens to Redis, and the verifies of the OTPs that came. */
export class SteadyLoad {
  readonly accepted: AcceptedJob[] = [];
  readonly refusals = new Map<string, number>();
  readonly #options: SteadyLoadOptions;
  readonly #open = new Map<string, AcceptedJob>();
  readonly #missing = new Map<string, number>();
  #persons = 0;
  #submitting = 0;

  constructor(options: SteadyLoadOptions) {
    this.#options = options;
  }

  get open(): number {
    return this.#open.size + this.#submitting;
  }

  /** Submits until aborted; resolves when the last job is settled, or after `drainMs`. */
  async run(stop: AbortSignal, drainMs: number): Promise<void> {
    const startedAt = performance.now();
    const looking = this.#lookUntil(stop, drainMs);
    while (!stop.aborted) {
      const due = ((performance.now() - startedAt) / 1_000) * this.#options.rate;
      while (this.#persons < due) this.#nextPerson();
      await sleep(10);
    }
    await looking;
  }

  #nextPerson(): void {
    const { dice, submitter } = this.#options;
    const operation = dice.pick(DRAWN);
    const first = this.#persons;
    if (dice.chance(FROM_FILES / ((ROWS.least + ROWS.most) / 2))) {
      const file = fileOf(`failover-file-${first}`, operation, first, Math.round(dice.between(ROWS.least, ROWS.most)));
      this.#persons += file.jobs.length;
      const options = { id: file.id, lane: "bulk", retryForMs: PATIENCE_MS } as const;
      void this.#take(file.jobs, async () => await submitter.submitManyUnchecked(operation, file.inputs, options));
      return;
    }
    this.#persons += 1;
    const { input, person } = inputOf(operation, first);
    void this.#submit({ id: `failover-${first}`, operation, person }, input);
  }

  async #submit(job: AcceptedJob, input: unknown): Promise<void> {
    const { submitter, dice } = this.#options;
    const lane = dice.chance(0.5) ? "bulk" : "interactive";
    const options = { id: job.id, lane, retryForMs: PATIENCE_MS } as const;
    await this.#take([job], async () => await submitter.submitUnchecked(job.operation, input, options));
  }

  /** Refused only where its patience is over: the client waits a failover out. */
  async #take(jobs: readonly AcceptedJob[], submit: () => Promise<unknown>): Promise<void> {
    this.#submitting += jobs.length;
    try {
      await submit();
      this.accepted.push(...jobs);
      for (const job of jobs) this.#open.set(job.id, job);
    } catch (error) {
      // A verify whose send a failover has swallowed.
      if (error instanceof SatyapanError && error.code === "bad-input") return;
      const word = wordOf(error);
      this.refusals.set(word, (this.refusals.get(word) ?? 0) + 1);
    } finally {
      this.#submitting -= jobs.length;
    }
  }

  async #lookUntil(stop: AbortSignal, drainMs: number): Promise<void> {
    let until = Infinity;
    while ((this.open > 0 || !stop.aborted) && performance.now() < until) {
      if (stop.aborted) until = Math.min(until, performance.now() + drainMs);
      await this.#look();
      await sleep(LOOK_MS);
    }
  }

  async #look(): Promise<void> {
    const ids = [...this.#open.keys()];
    const records = await this.#options.watcher.getMany(ids).catch(() => []);
    for (const [index, record] of records.entries()) {
      const id = ids[index] ?? "";
      const looks = record === null ? (this.#missing.get(id) ?? 0) + 1 : 0;
      this.#missing.set(id, looks);
      if (looks >= LOOKS_FOR_LOST) this.#open.delete(id);
      const job = this.#open.get(id);
      if (job === undefined || record === null || !isTerminal(record.state)) continue;
      this.#open.delete(id);
      if (record.state === "succeeded" && job.operation.endsWith("-otp")) void this.#verify(job, record);
    }
  }

  async #verify(job: AcceptedJob, sent: JobRecord): Promise<void> {
    const { dice, phone } = this.#options;
    if (!dice.chance(VERIFIED)) return;
    const message = await phone(job.person).catch(() => null);
    if (message === null) return;
    const verify = { id: `${job.id}-verify`, operation: `${job.operation}.verify`, person: job.person };
    await this.#submit(verify, { of: sent.id, otp: message.otp });
  }
}
