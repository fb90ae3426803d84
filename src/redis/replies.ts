import type { ChainableCommander } from "ioredis";
import { refusalWord } from "./refusal.ts";

/**
 * What each command of a pipeline or a transaction is answered, in order; of none, nothing is asked. `misplaced`: taken in place of the
 * answer where a key holds something of another type; not given, that is an error as all others. Rejects with the first of these.
 */
export async function repliesOf(commands: ChainableCommander, misplaced?: unknown): Promise<unknown[]> {
  if (commands.length === 0) return [];
  const replies = await commands.exec();
  if (replies === null) throw new TypeError("Redis gave up a transaction that watches nothing");
  return replies.map(([error, reply]) => {
    if (error === null) return reply;
    if (misplaced !== undefined && refusalWord(error) === "WRONGTYPE") return misplaced;
    throw error;
  });
}
