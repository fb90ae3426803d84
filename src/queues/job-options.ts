import { BULK_PRIORITY, BULK_VERIFY_PRIORITY } from "./names.ts";
import type { Lane } from "../outcomes/lane.ts";

/** What BullMQ is told about a job: nothing of its content. Everything else is in the record. */
export interface JobOptions {
  readonly jobId: string;
  readonly priority?: number;
  readonly lifo?: true;
  readonly attempts: number;
  readonly backoff: { readonly type: string };
  readonly removeOnComplete: true;
  readonly removeOnFail: true;
  readonly stackTraceLimit: 0;
}

/** Outcomes never use BullMQ's attempts; these are for faults of our own side: about a day at the longest backoff (30 s). */
const FAULT_ATTEMPTS = 3_000;

/** What decides the place of a job, or a ticket, in its queue. */
export interface QueuePlace {
  readonly lane: Lane;
  /** Its OTP runs out: it goes before the sends of its lane. */
  readonly verify: boolean;
}

export interface QueuedJob extends QueuePlace {
  readonly id: string;
}

/** `jobId`: BullMQ's id of a job or a ticket. */
export function jobOptions(jobId: string, { lane, verify }: QueuePlace): JobOptions {
  return {
    jobId,
    ...(lane === "bulk" ? { priority: verify ? BULK_VERIFY_PRIORITY : BULK_PRIORITY } : {}),
    ...(lane === "interactive" && verify ? { lifo: true } : {}),
    attempts: FAULT_ATTEMPTS,
    backoff: { type: "satyapan" },
    removeOnComplete: true,
    removeOnFail: true,
    stackTraceLimit: 0,
  };
}
