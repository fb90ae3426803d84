import { Worker } from "bullmq";

/** BullMQ's queue of what its main loop waits for (bullmq 6.7: private). */
interface Loop {
  add(something: Promise<void>): void;
}

/**
 * BullMQ's worker, which counts the jobs of the tickets in its hands, not the tickets: it takes another while fewer than
 * `most` are at hand. BullMQ itself asks its `concurrency` before each fetch, so that is what is kept up to date.
 */
export class TicketWorker extends Worker {
  #most = 1;
  #jobs = 0;
  #entries = 0;

  /** Jobs that are worked on at once, over all tickets. */
  limitJobs(most: number): void {
    this.#most = most;
    this.#adjust();
  }

  /** An entry of the queue with so many jobs is in hand. */
  took(jobs: number): void {
    this.#entries += 1;
    this.#jobs += jobs;
    this.#adjust();
  }

  /** So many jobs of an entry are done, or not begun and to be given back. */
  left(jobs: number): void {
    const hadRoom = this.#hasRoom;
    this.#jobs -= jobs;
    this.#adjust();
    // BullMQ looks for more only when an entry is done; as its own `resume` does, it is told to look now.
    if (!hadRoom && this.#hasRoom) (this["mainLoopQueue"] as Loop | null)?.add(Promise.resolve());
  }

  /** An entry of the queue is done, and its jobs have left. */
  leftEntry(): void {
    this.#entries -= 1;
    this.#adjust();
  }

  /** BullMQ computes a wait for its rate limit twice, and Node warns where it was over the second time: -35 ms were seen. */
  override async delay(...[ms = 0, abort]: Parameters<Worker["delay"]>): Promise<void> {
    await super.delay(Math.max(ms, 0), abort);
  }

  get #hasRoom(): boolean {
    return this.#jobs < this.#most;
  }

  /** Room: one fetch beside the entries in hand. None: not even the one with which BullMQ ends an entry. */
  #adjust(): void {
    this.concurrency = Math.max(1, this.#hasRoom ? this.#entries + 1 : this.#entries - 1);
  }
}
