import type { ChainableCommander } from "ioredis";

/** What each command of a pipeline or a transaction is answered, in order. Rejects with the first error among them. */
export async function repliesOf(commands: ChainableCommander): Promise<unknown[]> {
  const replies = await commands.exec();
  if (replies === null) throw new TypeError("Redis gave up a transaction that watches nothing");
  return replies.map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}
