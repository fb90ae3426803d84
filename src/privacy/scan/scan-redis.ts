import { setTimeout as sleep } from "node:timers/promises";
import { Cluster, type Redis } from "ioredis";
import type { RedisClient } from "../../redis/connection.ts";
import type { Finding } from "../../secrets/found.ts";
import { firstPages, type Page, type Text } from "./key-pages.ts";
import { unzipped } from "./packed.ts";
import type { Scanner } from "./scanner.ts";

/** Keys that are looked at in one go: some round trips for all of them. */
const BATCH = 100;

export interface RedisScanOptions {
  readonly redis: RedisClient;
  readonly scanner: Scanner;
  readonly onFinding: (finding: Finding) => void;
}

interface OpenKey {
  readonly key: Buffer;
  readonly page: Page;
}

interface KeyText extends Text {
  readonly before: string;
  readonly key: Buffer;
}

/** What was looked through. */
export interface RedisCounts {
  readonly keys: number;
  readonly bytes: number;
  /** Reads that could not be done, by reason: a module's type, or the Redis user's rights. */
  readonly unreadable: Readonly<Record<string, number>>;
}

/**
 * Looks through keys: their names and everything in them, of all types. Reads only, in pages, and holds one page in memory
 * at a time. A key that changes while it is read may be seen in part; what was written before the scan is seen.
 */
export class RedisScan {
  readonly #nodes: () => readonly Redis[];
  readonly #scanner: Scanner;
  readonly #onFinding: (finding: Finding) => void;
  #keys = 0;
  #bytes = 0;
  readonly #unreadable = new Map<string, number>();
  /** Where `some` goes on. */
  #node = 0;
  #cursor = "0";

  constructor({ redis, scanner, onFinding }: RedisScanOptions) {
    this.#nodes = () => (redis instanceof Cluster ? redis.nodes("master") : [redis]);
    this.#scanner = scanner;
    this.#onFinding = onFinding;
  }

  get counts(): RedisCounts {
    return { keys: this.#keys, bytes: this.#bytes, unreadable: Object.fromEntries(this.#unreadable) };
  }

  /** Scans all keys, at most `perSecond` of them a second. Ends early when `signal` is aborted. */
  async all(perSecond: number, signal?: AbortSignal): Promise<void> {
    const started = performance.now();
    const before = this.#keys;
    const isStopped = (): boolean => signal?.aborted === true;
    while (!isStopped() && !(await this.some(BATCH))) {
      const early = started + ((this.#keys - before) / perSecond) * 1_000 - performance.now();
      if (early > 1) await sleep(early, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    }
  }

  /** Scans about `count` keys, going on where the last call ended. True: those were the last, and the next call begins anew. */
  async some(count: number): Promise<boolean> {
    const nodes = this.#nodes();
    const node = nodes[this.#node];
    if (node === undefined) {
      this.#node = 0;
      return true;
    }
    const [next, keys] = await node.scanBuffer(this.#cursor, "COUNT", count);
    await this.#look(node, keys);
    this.#cursor = next.toString();
    if (this.#cursor !== "0") return false;
    this.#node = (this.#node + 1) % nodes.length;
    return this.#node === 0;
  }

  async #look(node: Redis, keys: readonly Buffer[]): Promise<void> {
    this.#check(keys.map((key) => ({ before: "the name of the key", key, part: "", bytes: key })));
    this.#keys += keys.length;
    const asked = node.pipeline();
    for (const key of keys) asked.type(key);
    const types = (await asked.exec()) ?? [];
    let open: OpenKey[] = [];
    for (const [index, key] of keys.entries()) {
      const type = this.#replyOf(types[index]) as string | null;
      if (type === null || type === "none") continue; // gone meanwhile
      const pages = firstPages(type, key);
      if (pages === null) this.#skip(`type ${type}`);
      else open.push(...pages.map((page) => ({ key, page })));
    }
    while (open.length > 0) {
      // Further pages are long ones: a few at a time.
      const now = open.splice(0, BATCH);
      open = [...(await this.#read(node, now)), ...open];
    }
  }

  /** Their next pages. */
  async #read(node: Redis, open: readonly OpenKey[]): Promise<OpenKey[]> {
    const pipeline = node.pipeline();
    for (const { page } of open) pipeline.callBuffer(page.command, ...page.args);
    const replies = (await pipeline.exec()) ?? [];
    const texts: KeyText[] = [];
    const further = open.flatMap(({ key, page }, index): OpenKey[] => {
      const reply = this.#replyOf(replies[index]);
      if (reply === null) return [];
      const content = page.read(reply);
      texts.push(...content.texts.map((text) => ({ before: "", key, ...text })));
      return content.next === null ? [] : [{ key, page: content.next }];
    });
    this.#check(texts);
    return further;
  }

  /** Null: there is nothing to read, or not for us. */
  #replyOf([error, reply]: readonly [error: Error | null, reply?: unknown] = [null, null]): unknown {
    if (error === null) return reply ?? null;
    if (error.name !== "ReplyError") throw error;
    // A key of another type by now, or a group that is gone: it was changed under our hands.
    if (/^(WRONGTYPE|NOGROUP|ERR no such key)/.test(error.message)) return null;
    if (error.message.startsWith("NOPERM")) this.#skip("not permitted");
    else if (/^(MOVED|ASK|TRYAGAIN)/.test(error.message)) this.#skip("moved to another node meanwhile");
    else throw error;
    return null;
  }

  #skip(reason: string): void {
    this.#unreadable.set(reason, (this.#unreadable.get(reason) ?? 0) + 1);
  }

  #check(texts: readonly KeyText[]): void {
    const all = texts.map(({ bytes }) => unzipped(bytes).toString("latin1"));
    for (const { length } of all) this.#bytes += length;
    // Together they cost a tenth; nothing is found across a line's end.
    if (this.#scanner.find(all.join("\n")).length === 0) return;
    for (const [index, { before, key, part }] of texts.entries()) {
      for (const { kind, what, shown } of this.#scanner.find(all[index] ?? "")) {
        const name = this.#scanner.hide(key.toString("latin1"));
        const place = [before, name, this.#scanner.hide(part)].filter((text) => text !== "").join(" ");
        this.#onFinding({ source: "redis", place, kind, what, shown });
      }
    }
  }
}
