import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import type { Client } from "../producers/client.ts";
import { SatyapanError } from "../src/base/error.ts";
import { findOperation } from "../src/operations/catalogue.ts";
import type { JobState } from "../src/outcomes/state.ts";
import { archiveKey, dueKey, type QueueName, queueOf, QUEUES, recordKey } from "../src/queues/names.ts";
import { ARCHIVED_STATES, idsInArchive } from "../src/records/archive.ts";
import type { AcceptedJob } from "./accepted-job.ts";
import type { Dice } from "./random.ts";
import type { Violation } from "./verdict.ts";

/** What of it was archived. */
export interface Archived {
  /** Records that are archived at the end. */
  readonly atEnd: number;
  /** How often one that was archived was submitted again, and how often it was shown. */
  readonly again: number;
  readonly shown: number;
}

interface ArchivistOptions {
  readonly socket: string;
  readonly submitter: Client;
  readonly watcher: Client;
  readonly dice: Dice;
}

interface Settled extends AcceptedJob {
  readonly state: JobState;
  readonly settledAt: number;
}

const EVERY_MS = 300;
/** From a job's end until its record is archived, in ms: for that of a job that runs once more after it. */
const REST_MS = 1_500;
/** Of the jobs at rest, so many are made due at once, whether or not they are archived. */
const DUE_AT_ONCE = 40;

/** Has the reaper archive records within seconds of their end instead of minutes, and tries whether they are still known. */
export class Archivist implements Disposable {
  readonly violations: Violation[] = [];
  readonly #options: ArchivistOptions;
  readonly #redis: Redis;
  readonly #settled: Settled[] = [];
  #again = 0;
  #shown = 0;

  constructor(options: ArchivistOptions) {
    this.#options = options;
    this.#redis = new Redis({ path: options.socket, maxRetriesPerRequest: null });
    this.#redis.on("error", () => {}); // it is killed on purpose
  }

  note(job: AcceptedJob, state: JobState): void {
    const isAtRest = (ARCHIVED_STATES as readonly JobState[]).includes(state);
    if (isAtRest) this.#settled.push({ ...job, state, settledAt: performance.now() });
  }

  async run(stop: AbortSignal): Promise<void> {
    const { dice } = this.#options;
    while (!stop.aborted) {
      await sleep(EVERY_MS);
      const atRest = this.#settled.filter(({ settledAt }) => performance.now() - settledAt >= REST_MS);
      if (atRest.length === 0) continue;
      // The newest among them, and some that may have come back meanwhile.
      const due = [...atRest.slice(-DUE_AT_ONCE), ...Array.from({ length: DUE_AT_ONCE }, () => dice.pick(atRest))];
      try {
        for (const { operation, id } of due) await this.#redis.zadd(dueKey(queueFor(operation)), 0, id);
        await this.#tryAgain(dice.pick(atRest));
      } catch (error) {
        // Everything else is Redis, which comes back.
        if (!(error instanceof SatyapanError) || error.code !== "id-conflict") continue;
        this.violations.push({ rule: "archive", where: "again", what: error.message });
      }
    }
  }

  async result(): Promise<Archived> {
    const pages = await Promise.all(
      QUEUES.map(async (queue) => await idsInArchive(this.#redis, await this.#redis.keys(archiveKey(queue, "*")))),
    );
    const archived: Archived = { atEnd: pages.flat().length, again: this.#again, shown: this.#shown };
    for (const [what, times] of Object.entries(archived))
      if (times === 0) this.violations.push({ rule: "archive", where: what, what: "none: the run says nothing of it" });
    return archived;
  }

  [Symbol.dispose](): void {
    this.#redis.disconnect();
  }

  /** It is shown, and submitted once more, as it was. */
  async #tryAgain(job: Settled): Promise<void> {
    const { submitter, watcher } = this.#options;
    const { id, operation, input, state } = job;
    const complain = (what: string): void => void this.violations.push({ rule: "archive", where: id, what });
    const wasArchived = (await this.#redis.exists(recordKey(queueFor(operation), id))) === 0;
    const record = await watcher.get(id);
    if (record?.state !== state) complain(`${state}, and shown as ${record?.state ?? "not there"}`);
    if (wasArchived) this.#shown += 1;
    if (input === undefined) return;
    const again = await submitter.submitUnchecked(operation, input, { id });
    if (again.duplicate !== true) complain(`${state}, and submitted again no duplicate`);
    if (again.state !== state) complain(`${state}, and submitted again ${again.state}`);
    if (wasArchived) this.#again += 1;
  }
}

function queueFor(operation: string): QueueName {
  return queueOf(findOperation(operation).provider);
}
