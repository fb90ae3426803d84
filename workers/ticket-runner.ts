import { setTimeout as sleep } from "node:timers/promises";
import { assertNever } from "../src/base/assert-never.ts";
import { DONE, type FollowUp } from "../src/queues/follow-up.ts";
import type { JobQueues } from "../src/queues/job-queues.ts";
import type { QueueName } from "../src/queues/names.ts";
import type { Ticket } from "../src/queues/ticket.ts";
import type { TicketLists } from "../src/queues/ticket-lists.ts";
import { isPassingRefusal } from "../src/redis/refusal.ts";
import type { CallSlots } from "./call-slots.ts";
import type { JobRunner } from "./job-runner.ts";

export interface TicketRunnerDeps {
  readonly queue: QueueName;
  readonly lists: Pick<TicketLists, "read" | "keep" | "end" | "giveUp">;
  readonly queues: Pick<JobQueues, "add">;
  readonly runner: Pick<JobRunner, "run">;
  readonly slots: CallSlots;
  readonly now: () => number;
  /** Aborted when nothing more is to be begun. */
  readonly stopping: AbortSignal;
  /** Its list is not there, is none, or not whole: nobody knows which (other) jobs it carries until the reaper looks. */
  readonly onUnreadable: (ticket: Ticket) => void;
  /** A fault of our own; the job comes back by itself. */
  readonly onThrown: (err: Error, id: string) => void;
}

/** How much later than its entry in the queue a list may come, and how often it is looked for; in ms. */
const LIST_LATE_MS = 10_000;
const LOOK_AGAIN_MS = 250;
/** When a job is tried again that failed by a fault of ours, in ms; after it its own entry backs off. */
const FAULT_LATER_MS = 500;

/** A ticket in hand. */
interface Run {
  readonly ticket: Ticket;
  readonly queuedAt: number;
  /** Ids of those that are not done, in order. */
  readonly rest: Set<string>;
  /** How many of them run, or wait for room. */
  running: number;
  /** Resolved, and replaced, when one of them has ended: a race of all would cost each as many steps as there are others. */
  ended: PromiseWithResolvers<void>;
  /** Ids of those that are not to be begun (again): they run, wait for room, or failed. */
  readonly begun: Set<string>;
  readonly left: () => void;
  /** Until when the gate is closed, ms; 0: not known to be. */
  closedUntil: number;
  fault: Error | null;
}

/**
 * All jobs of a ticket at once, as far as there is room, each by itself: none waits behind a slow call of another. A job that
 * must wait gets an entry of its own in the queue. A closed gate gives back those that were not begun, untouched.
 */
export class TicketRunner {
  readonly #deps: TicketRunnerDeps;

  constructor(deps: TicketRunnerDeps) {
    this.#deps = deps;
  }

  /** `left` hears of each job that is done or has gone to an entry of its own. Rejects where Redis refused one of them. */
  async run(ticket: Ticket, queuedAt: number, left: () => void): Promise<FollowUp> {
    const { lists, now, onUnreadable } = this.#deps;
    const list = await lists.read(ticket.name);
    if (list === null) {
      // A producer sends both in one go; over a Cluster that moves slots its list may come a moment later.
      if (now() - queuedAt < LIST_LATE_MS) return { kind: "later", until: now() + LOOK_AGAIN_MS };
      onUnreadable(ticket);
      return DONE;
    }
    const { ids, isWhole } = list;
    // Its name tells how many it was made of; those that are done already are not in hand.
    for (let gone = ids.length; gone < ticket.size; gone += 1) left();
    const run: Run = {
      ...{
        ticket,
        queuedAt,
        left,
        rest: new Set(ids),
        running: 0,
        ended: Promise.withResolvers(),
        begun: new Set(),
        closedUntil: 0,
        fault: null,
      },
    };
    await this.#runAll(run);
    if (run.rest.size === 0) {
      if (isWhole) await lists.end(ticket.name);
      else {
        await lists.giveUp(ticket.name);
        onUnreadable(ticket);
      }
      return DONE;
    }
    if (run.rest.size < ids.length) await lists.keep(ticket.name, { ids: [...run.rest], isWhole });
    if (run.fault !== null) throw run.fault;
    return { kind: "gate", until: run.closedUntil };
  }

  /** Until nothing of it runs, and nothing more may be begun. */
  async #runAll(run: Run): Promise<void> {
    for (;;) {
      for (const id of run.rest) {
        if (run.begun.has(id)) continue;
        run.begun.add(id);
        void this.#runOne(run, id);
      }
      await this.#endedOrOpen(run);
      if (run.running === 0) return;
      // A slow call of this ticket is under way, and the gate has opened: the others do not wait for it.
      run.closedUntil = 0;
    }
  }

  /** Nothing runs any more; or the gate that closed on it is open again, and something does. */
  async #endedOrOpen(run: Run): Promise<void> {
    const { now, stopping } = this.#deps;
    while (run.running > 0) {
      const waitMs = run.closedUntil - now();
      if (run.closedUntil === 0 || stopping.aborted) await run.ended.promise;
      else if (waitMs <= 0) return;
      else {
        const woken = new AbortController();
        await Promise.race([run.ended.promise, sleep(waitMs, undefined, { signal: woken.signal }).catch(() => {})]);
        woken.abort();
      }
    }
  }

  /** Never rejects. */
  async #runOne(run: Run, id: string): Promise<void> {
    const { slots, stopping } = this.#deps;
    const { ticket, queuedAt } = run;
    run.running += 1;
    try {
      await slots.use(ticket.lane, async () => {
        const isClosed = run.closedUntil > 0 || stopping.aborted;
        if (isClosed || (await this.#goesOn(run, id, await this.#try(id, queuedAt, ticket.name)))) {
          run.begun.delete(id);
          return;
        }
        run.rest.delete(id);
        run.left();
      });
    } catch (error) {
      run.fault = error instanceof Error ? error : new Error(String(error));
    } finally {
      run.running -= 1;
      run.ended.resolve();
      run.ended = Promise.withResolvers();
    }
  }

  /** A fault of ours is the job's alone, and may come again: its mates neither wait for it nor are given up with it. */
  async #try(id: string, queuedAt: number, name: string): Promise<FollowUp> {
    const { runner, now, onThrown } = this.#deps;
    try {
      return await runner.run(id, queuedAt, name);
    } catch (error) {
      if (isPassingRefusal(error)) throw error;
      onThrown(error instanceof Error ? error : new Error(String(error)), id);
      return { kind: "later", until: now() + FAULT_LATER_MS };
    }
  }

  /** What follows for one of its jobs. → whether the ticket still carries it */
  async #goesOn(run: Run, id: string, next: FollowUp): Promise<boolean> {
    const { queues, queue, now } = this.#deps;
    switch (next.kind) {
      case "done":
        return false;
      case "gate":
        run.closedUntil = Math.max(run.closedUntil, next.until);
        return true;
      case "later": {
        const { lane, verify } = run.ticket;
        // Added before anything else is changed: a crash here leaves two entries for it, of which its own wins.
        await queues.add(queue, [{ id, lane, verify }], Math.max(1, next.until - now()));
        return false;
      }
      default:
        return assertNever(next, "what follows");
    }
  }
}
