import { Redis, type SentinelConnectionOptions, SentinelConnector } from "ioredis";
import { expectDroppedReplies } from "./dropped-replies.ts";

/** `main 10.0.0.1 6379 10.0.0.2 6379`: the group, and its new master, which is the last two. */
const SWITCHED = /^(?<group>\S+) \S+ \d+ (?<master>\S+ \d+)$/;

interface Address {
  readonly host: string;
  readonly port: number;
}

/**
 * The failover detector's connections to the sentinels have no listener of errors, so that ioredis prints each on the
 * console. What they fail at shows where it matters: when the master is asked for. And the leader of a failover tells of the
 * new master a second after the others: whoever follows it already does not leave it for that. What sentinels tell of
 * another group that they watch, too, is nothing to us: its master is another Redis.
 */
export class HeardSentinels extends SentinelConnector {
  /** The name of the group whose master is asked for. */
  readonly #group: string | undefined;
  /** The master as the sentinels call it: `host port`. */
  #master = "";
  /** While they are asked: which one was told of meanwhile. */
  #told: string | null = null;
  #isAsking = false;
  /** What a sentinel's connection ended with: ioredis tells only that it is closed. */
  #trouble: Error | null = null;

  constructor(options: unknown) {
    super(options as SentinelConnectionOptions);
    this.#group = (options as SentinelConnectionOptions).name;
    this.#wrap("connectToSentinel", (client) => {
      if (client instanceof Redis) this.#hear(client as Redis);
      return client;
    });
    this.#wrap("resolveMaster", async (asking) => {
      const named = (await asking) as Address | null;
      const master = this.#told === null ? named : addressOf(this.#told);
      if (master !== null) this.#master = `${master.host} ${master.port}`;
      return master;
    });
  }

  override async connect(told: Parameters<SentinelConnector["connect"]>[0]): ReturnType<SentinelConnector["connect"]> {
    this.#told = null;
    this.#isAsking = true;
    try {
      return await super.connect((type, error) => {
        if (this.#trouble !== null) error.cause ??= this.#trouble;
        told(type, error);
      });
    } finally {
      this.#isAsking = false;
    }
  }

  #hear(client: Redis): void {
    client.on("error", (error: Error) => (this.#trouble = error));
    expectDroppedReplies(client);
    const emit = client.emit.bind(client);
    client.emit = (event: string | symbol, ...args: unknown[]): boolean => {
      const switched = event === "message" ? SWITCHED.exec(String(args[1]))?.groups : undefined;
      if (switched !== undefined && switched["group"] !== this.#group) return true;
      const told = switched?.["master"] ?? null;
      if (told !== null && told === this.#master && this.#told === null) return true;
      // The detector would end the connection for good.
      if (told === null || !this.#isAsking) return emit(event, ...args);
      this.#told = told;
      return true;
    };
  }

  #wrap(name: string, then: (result: unknown) => unknown): void {
    const method: unknown = Reflect.get(this, name);
    if (typeof method !== "function") throw new TypeError("this ioredis connects to sentinels in another way");
    Reflect.set(this, name, (...args: unknown[]): unknown => then(Reflect.apply(method, this, args)));
  }
}

function addressOf(told: string): Address {
  const [host = "", port = ""] = told.split(" ");
  return { host, port: Number(port) };
}
