import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { queueOf } from "../../src/queues/names.ts";
import type { RedisNode } from "./node.ts";

/** Between two writes to one node, in ms. */
const EVERY_MS = 40;
/** In the slot of Eko's queue. */
const KEY = `${queueOf("eko")}chaos-probe`;

/** Writes to every node again and again: while nobody takes a write, no worker can do better. */
export class Probe implements AsyncDisposable {
  readonly #clients: readonly Redis[];
  readonly #loops: Promise<void>[];
  readonly #written: number[] = [];
  #over = false;

  constructor(nodes: readonly RedisNode[]) {
    this.#clients = nodes.map(({ port }) => {
      const once = { enableOfflineQueue: false, maxRetriesPerRequest: 0, retryStrategy: () => EVERY_MS } as const;
      const client = new Redis({ ...once, host: "127.0.0.1", port, replyMapping: "legacy" });
      return client.on("error", () => {});
    });
    this.#loops = this.#clients.map(async (client) => this.#write(client));
  }

  /** When a node took a write, ms since the epoch, in order. */
  get written(): readonly number[] {
    return this.#written;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    for (const client of this.#clients) client.disconnect();
    await Promise.all(this.#loops);
  }

  async #write(client: Redis): Promise<void> {
    while (!this.#over) {
      // A frozen node answers when it thaws; what it took then it took then.
      const took = await client.set(KEY, "1").then(
        () => true,
        () => false,
      );
      if (took) this.#written.push(Date.now());
      await sleep(EVERY_MS);
    }
  }
}
