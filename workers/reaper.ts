import { setTimeout as sleep } from "node:timers/promises";
import type { Duty } from "../src/redis/lease.ts";
import type { LostJobs } from "./lost-jobs.ts";
import type { LostTickets } from "./lost-tickets.ts";
import type { QueueName } from "../src/queues/names.ts";
import { OPERATIONS } from "../src/operations/catalogue.ts";
import { NO_RECORD } from "../src/records/no-record.ts";
import type { RecordStore } from "../src/records/record-store.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { Tracing } from "./tracing.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";
import { sayParked } from "./park-broken.ts";

export interface ReaperDeps {
  readonly records: RecordStore;
  readonly tickets: Pick<LostTickets, "look">;
  readonly jobs: Pick<LostJobs, "look">;
  readonly duty: Duty;
  readonly queues: readonly QueueName[];
  readonly metrics: Metrics;
  readonly tracing: Tracing | null;
  readonly logger: Logger;
  readonly now: () => number;
  /** Between two rounds, in ms: a deadline that nobody else sees is told so late at most. Default 2 s. */
  readonly everyMs?: number;
}

const EVERY_MS = 2_000;
/** What stands in a record may be anything: no label is made of it. */
const SENDS: ReadonlySet<string> = new Set(OPERATIONS.flatMap(({ step, name }) => (step === "send" ? [name] : [])));
/** Of so many rounds one looks for lost tickets. */
const TICKETS_EVERY = 5;

/**
 * Ends jobs at their deadline though nobody takes them (their gate is closed), and destroys sealed values when their time is
 * over; and looks for what nothing carries any more. One worker does it for all; each round is one atomic step, so that two at a time would do no harm.
 */
export class Reaper {
  readonly #deps: ReaperDeps;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(deps: ReaperDeps) {
    this.#deps = deps;
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { duty, queues, logger, everyMs = EVERY_MS } = this.#deps;
    const { signal } = this.#stop;
    const failing = new Set<QueueName>();
    const searching = new Set<QueueName>();
    const mayGoOn = (): boolean => !signal.aborted && duty.held;
    for (let round = 1; !signal.aborted; round++) {
      for (const queue of duty.held ? queues : []) {
        try {
          while (mayGoOn() && (await this.#reap(queue))) {
            // More is due.
          }
          const isSearching = searching.delete(queue);
          if (isSearching || round % TICKETS_EVERY === 0) {
            if (await this.#deps.tickets.look(queue, mayGoOn)) searching.add(queue);
          }
          if (mayGoOn()) await this.#deps.jobs.look(queue);
          if (failing.delete(queue)) logger.rarely.info({ queue }, "reaper goes on");
        } catch (err) {
          // Logged once: Redis may be away for long. What is overdue meanwhile is a metric.
          if (!failing.has(queue)) logger.rarely.warn({ err, queue }, "reaper's round failed");
          failing.add(queue);
        }
      }
      await sleep(everyMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #reap(queue: QueueName): Promise<boolean> {
    const { records, metrics, tracing, logger, now } = this.#deps;
    const at = now();
    const { expired, parked, unanswered, spent, more } = await records.reap(queue, at);
    for (const { id, job, state } of expired) {
      metrics.jobSettled(job.operation, state, job.lane);
      tracing?.of(queue).jobEnded(id, job, state, at);
      logger.info({ job: id, operation: job.operation, state }, "job expired");
    }
    for (const send of unanswered) if (SENDS.has(send)) metrics.persons.challenge(send, "expired");
    for (const send of spent) if (SENDS.has(send)) metrics.persons.challenge(send, "spent");
    for (const id of parked) sayParked({ metrics, logger }, id, "failed", NO_RECORD);
    return more;
  }
}
