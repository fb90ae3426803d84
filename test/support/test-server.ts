/** One way to run a Redis: `LocalServer` or `DockerServer`. */
export interface TestServer {
  readonly url: string;
  start(): Promise<void>;
  /** Resolves when it is gone. No fault where it already was. */
  end(how: "shutdown" | "kill"): Promise<void>;
  remove(): Promise<void>;
}

/**
 * Every write is in the AOF as it was sent: no rewrite, no compression hides a value from `aofText`.
 * `everysec` as in production: only `kill9` sees to it that what was answered survives it.
 */
export const TEST_REDIS_ARGS = Object.entries({
  "--save": "",
  "--appendonly": "yes",
  "--appendfsync": "everysec",
  "--auto-aof-rewrite-percentage": "0",
  "--rdbcompression": "no",
  "--maxmemory-policy": "noeviction",
}).flat();
