import type { EventEmitter } from "node:events";

/** Resolves at the next such event. Unlike `once` of `node:events`, an `error` before it is no failure: a test takes Redis away. */
export async function heard(emitter: EventEmitter, event: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  emitter.once(event, () => resolve());
  return promise;
}
