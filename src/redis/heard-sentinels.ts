import { Redis, type SentinelConnectionOptions, SentinelConnector } from "ioredis";

/**
 * The failover detector's connections to the sentinels have no listener of errors, so that ioredis prints each on the
 * console. What they fail at shows where it matters: when the master is asked for.
 */
export class HeardSentinels extends SentinelConnector {
  constructor(options: unknown) {
    super(options as SentinelConnectionOptions);
    const connect: unknown = Reflect.get(this, "connectToSentinel");
    if (typeof connect !== "function") throw new TypeError("this ioredis connects to sentinels in another way");
    Reflect.set(this, "connectToSentinel", (...args: unknown[]): unknown => {
      const client: unknown = Reflect.apply(connect, this, args);
      if (client instanceof Redis) client.on("error", () => {});
      return client;
    });
  }
}
