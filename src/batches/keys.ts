import { queuePrefix, type QueueName } from "../queues/names.ts";

/** A batch's own hash; its other keys begin with that (`scripts/batch.lua`). All of them lie in its queue's slot. */
export function batchKey(queue: QueueName, id: string): string {
  return `${queuePrefix(queue)}batch:${id}`;
}

/** Batches that somebody looks after, by when they came; those of flows apart (`open_batch`). */
export function openBatchesKeys(queue: QueueName): readonly string[] {
  const key = `${queuePrefix(queue)}batch:open`;
  return [key, `${key}:flows`];
}

export function allBatchesKey(queue: QueueName): string {
  return `${queuePrefix(queue)}batch:all`;
}

/** Batches that ended in the last hour, by when they did. */
export function overBatchesKey(queue: QueueName): string {
  return `${queuePrefix(queue)}batch:over`;
}

/** Counts up whenever another feeder begins. */
export function epochKey(queue: QueueName): string {
  return `${queuePrefix(queue)}batch:epoch`;
}

/** What operators decided, and how often: of all batches of that queue there ever were. */
export function decisionsKey(queue: QueueName): string {
  return `${queuePrefix(queue)}batch:decisions`;
}

/** How tenants share, by their names; one that is not there has weight 1. */
export function tenantWeightsKey(queue: QueueName): string {
  return `${queuePrefix(queue)}batch:tenants`;
}

/** The job, or onboarding, of a row: another one each time that it runs (`runOf`). */
export function rowJobId(batch: string, row: number, run = 0): string {
  return run === 0 ? `${batch}-${row}` : `${batch}-${row}r${run}`;
}

/** What a row's job is made of; null for what is none. */
export function rowOfJob(id: string): { readonly batch: string; readonly row: number; readonly run: number } | null {
  const [, batch, row, run = "0"] = /^(.+)-(\d+)(?:r(\d+))?$/.exec(id) ?? [];
  return batch === undefined ? null : { batch, row: Number(row), run: Number(run) };
}
