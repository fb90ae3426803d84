import type { QueueName } from "../queues/names.ts";
import type { RedisClient } from "../redis/connection.ts";
import { batchKey } from "./keys.ts";
import { type RowState, rowStateOf } from "./row-state.ts";

/** Rows of a batch that ended badly in the same way. */
export interface RowReason {
  readonly state: RowState;
  /** Null: nothing was called, or the provider gave none. */
  readonly code: string | null;
  readonly count: number;
  /** In the words of the first of them. */
  readonly reason: string | null;
}

/** What stands for no code. */
export const NO_CODE = "-";

/**
 * Why rows of a batch did not succeed, the most frequent first: counted in the step that folds each, so that a look reads some fields and
 * no row.
 */
export async function rowReasons(redis: RedisClient, queue: QueueName, id: string): Promise<RowReason[]> {
  const fields = await redis.hgetall(`${batchKey(queue, id)}:why`);
  const reasons = Object.entries(fields).flatMap(([name, text]): RowReason[] => {
    const [, byte = "", code = NO_CODE] = /^n (.) (.*)$/.exec(name) ?? [];
    const state = rowStateOf(byte);
    const count = Number(text);
    if (state === undefined || !(count > 0)) return [];
    const reason = fields[`r ${byte} ${code}`] ?? "";
    return [{ state, code: code === NO_CODE ? null : code, count, reason: reason === "" ? null : reason }];
  });
  // Redis lists the fields of a hash in no order of its own: those that are as frequent stay where they are at the next look.
  const nameOf = ({ state, code }: RowReason): string => `${state} ${code ?? ""}`;
  return reasons.toSorted((one, other) => other.count - one.count || nameOf(one).localeCompare(nameOf(other)));
}
