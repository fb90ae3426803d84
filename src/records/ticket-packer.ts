import { operationOfJob } from "../operations/catalogue.ts";
import type { TicketSizes } from "../limits/ticket-size.ts";
import type { FilledTicket, JobQueues } from "../queues/job-queues.ts";
import type { QueuedJob } from "../queues/job-options.ts";
import type { QueueName } from "../queues/names.ts";
import { LARGEST_TICKET, newTicket, parseTicket } from "../queues/ticket.ts";
import type { NewJob } from "./stored-job.ts";

export interface TicketPackerDeps {
  readonly queues: Pick<JobQueues, "add">;
  readonly sizes: Pick<TicketSizes, "of">;
  /** A name that nothing else has, of `[0-9a-z]`. */
  readonly unique: () => string;
}

/** Decides which new jobs share a ticket, and queues them. */
export class TicketPacker {
  readonly #deps: TicketPackerDeps;

  constructor(deps: TicketPackerDeps) {
    this.#deps = deps;
  }

  /** Those of one lane and one step together, as many as the gate lets through at once and `most`; one alone has its own entry. */
  async pack(queue: QueueName, jobs: readonly NewJob[], most = LARGEST_TICKET): Promise<NewJob[]> {
    const { sizes, unique } = this.#deps;
    const size = jobs.length < 2 ? 1 : Math.min(most, await sizes.of(queue));
    if (size === 1) return [...jobs];
    const ticketOf = new Map<string, string>();
    for (const alike of Map.groupBy(jobs, kindOf).values()) {
      for (let from = 0; from < alike.length; from += size) {
        const some = alike.slice(from, from + size);
        const [first] = some;
        if (first === undefined || some.length === 1) continue;
        const { name } = newTicket({ ...queuedJob(first), size: some.length }, unique());
        for (const { id } of some) ticketOf.set(id, name);
      }
    }
    return jobs.map((job) => ({ ...job, ticket: ticketOf.get(job.id) ?? null }));
  }

  /** Those of a ticket in it, the others by themselves; a ticket stands where its first job does. */
  async enqueue(queue: QueueName, jobs: readonly NewJob[]): Promise<void> {
    const ofTicket = Map.groupBy(jobs, ({ ticket }) => ticket ?? null);
    const entries = jobs.flatMap((job): (QueuedJob | FilledTicket)[] => {
      const ticket = parseTicket(job.ticket ?? "");
      if (ticket === null) return [queuedJob(job)];
      const carried = ofTicket.get(ticket.name) ?? [];
      return carried[0] === job ? [{ ticket, ids: carried.map(({ id }) => id) }] : [];
    });
    await this.#deps.queues.add(queue, entries);
  }
}

function kindOf(job: NewJob): string {
  const { lane, verify } = queuedJob(job);
  return `${lane} ${verify}`;
}

function queuedJob({ id, lane, operation }: NewJob): QueuedJob {
  return { id, lane, verify: operationOfJob(operation).step === "verify" };
}
