import { setImmediate as nextTurn } from "node:timers/promises";
import type { BackendFactory, RedisQueueBackend } from "bullmq";

/**
 * Tells of each fetch with which a worker that waited for jobs follows the call, in the very turn in which it was sent: what is sent
 * then, on the same connection, comes right behind it. `token`: of the lock that the fetched entry gets. The next fetch, which finds
 * nothing as a rule, waits until what `onFetch` asked for is answered and was acted on: it would take 0.1 ms of that job's way.
 */
export function tellOfWokenFetches(
  factory: BackendFactory<RedisQueueBackend>,
  onFetch: (token: string) => Promise<void>,
): BackendFactory<RedisQueueBackend> {
  return (name, opts, options) => {
    const backend = factory(name, opts, options);
    const waitForJob = backend.waitForJob.bind(backend);
    const moveToActive = backend.moveToActive.bind(backend);
    const run = backend.execCommand.bind(backend);
    let isWoken = false;
    let fetching: string | null = null;
    let asked: Promise<void> | null = null;
    backend.waitForJob = async (timeout) => {
      const marker = await waitForJob(timeout);
      isWoken = marker !== null;
      return marker;
    };
    // A worker fetches one after the other.
    backend.moveToActive = async (token, ...args) => {
      if (asked !== null) {
        const before = asked;
        asked = null;
        await before;
        await nextTurn();
      }
      if (isWoken) fetching = token;
      isWoken = false;
      return (await moveToActive(token, ...args)) as unknown[];
    };
    backend.execCommand = (client, command, args: unknown[]): unknown => {
      const reply: unknown = run(client, command, args);
      const token = command === "moveToActive" ? fetching : null;
      if (token === null) return reply;
      fetching = null;
      asked = onFetch(token);
      return reply;
    };
    return backend;
  };
}
