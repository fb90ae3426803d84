import type { BackendFactory, RedisQueueBackend } from "bullmq";

/**
 * BullMQ looks for entries whose worker died with a script of seven commands, also where no entry is in anybody's hands. Then
 * there is nothing to find, and this asks for no more than how many there are.
 */
export function quietStalledCheck(factory: BackendFactory<RedisQueueBackend>): BackendFactory<RedisQueueBackend> {
  return (name, opts, options) => {
    const backend = factory(name, opts, options);
    const check = backend.moveStalledJobsToWait.bind(backend);
    backend.moveStalledJobsToWait = async () => {
      const client = await backend.client;
      return (await client.llen(backend.toKey("active"))) === 0 ? [] : await check();
    };
    return backend;
  };
}
