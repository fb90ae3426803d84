import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { type Batch, type BatchView, viewOf } from "../../src/batches/batch.ts";
import { afterCommand, type BatchCommand } from "../../src/batches/batch-state.ts";
import type { BatchStore } from "../../src/batches/batch-store.ts";
import { type Actor, checkReason } from "../base/actor.ts";
import { batchEntry } from "./batch-entry.ts";
import { findBatch } from "./find-batch.ts";

/** Each piece of work by itself, so that what goes wrong in Redis comes out of it as SatyapanError. */
type UseStore = <T>(work: (store: BatchStore) => Promise<T>) => Promise<T>;

/**
 * Changes a batch's state, whatever state it comes to meanwhile; the same again changes nothing.
 * Throws SatyapanError `unknown-batch`, and `bad-input` for a command that means nothing to it any more.
 */
export async function commandBatch(
  use: UseStore,
  actor: Actor,
  text: string,
  command: BatchCommand,
  reason?: string,
): Promise<BatchView> {
  const why = reason === undefined ? null : checkReason(reason);
  const find = async (named: string): Promise<Batch> => await use(async (store) => await findBatch(store, named));
  let batch = await find(text);
  for (;;) {
    const to = afterCommand(batch.state, command);
    if (to === null) {
      const message = `batch ${batch.id} is ${batch.state}: ${command} means nothing to it any more`;
      throw new SatyapanError(ErrorCode.BAD_INPUT, message);
    }
    if (to === batch.state) return viewOf(batch, actor.now());
    const from = batch;
    const states = { from: from.state, to, reason: why };
    const by = { entry: batchEntry(actor, actor.now(), { batch: from.id, event: command, jobs: null }) };
    const answer = await use(async (store) => await store.change(from, states, actor.now(), by));
    batch = await find(from.id);
    if (answer === "done") return viewOf(batch, actor.now());
    // It went on to another state in between.
  }
}
