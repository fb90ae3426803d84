import { queuePrefix, type QueueName } from "../queues/names.ts";

/** A batch's own hash; its other keys begin with that (`scripts/batch.lua`). All of them lie in its queue's slot. */
export function batchKey(queue: QueueName, id: string): string {
  return `${queuePrefix(queue)}batch:${id}`;
}

/** Batches that somebody looks after, by when they came. */
export function openBatchesKey(queue: QueueName): string {
  return `${queuePrefix(queue)}batch:open`;
}

export function allBatchesKey(queue: QueueName): string {
  return `${queuePrefix(queue)}batch:all`;
}

/** Counts up whenever another feeder begins. */
export function epochKey(queue: QueueName): string {
  return `${queuePrefix(queue)}batch:epoch`;
}

/** How tenants share, by their names; one that is not there has weight 1. */
export function tenantWeightsKey(queue: QueueName): string {
  return `${queuePrefix(queue)}batch:tenants`;
}

/** The job of a row: another one each time that the row was mended. */
export function rowJobId(batch: string, row: number, mended = 0): string {
  return mended === 0 ? `${batch}-${row}` : `${batch}-${row}r${mended}`;
}

/** What a row's job is made of; null for what is none. */
export function rowOfJob(id: string): { readonly batch: string; readonly row: number; readonly mended: number } | null {
  const [, batch, row, mended = "0"] = /^(.+)-(\d+)(?:r(\d+))?$/.exec(id) ?? [];
  return batch === undefined ? null : { batch, row: Number(row), mended: Number(mended) };
}
