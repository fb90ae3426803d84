import { setTimeout as sleep } from "node:timers/promises";
import { dayScope } from "../src/privacy/sealing/data-key.ts";
import type { StoredDataKey } from "../src/privacy/keys/data-key-store.ts";
import type { KeyChain } from "../src/privacy/keys/key-chain.ts";
import { dataKeyIdsIn } from "../src/privacy/sealing/sealed-text.ts";
import type { Logger } from "../src/telemetry/logger.ts";

/** Between two looks, in ms: rarely while all is well, as jobs tell by themselves what they lack. */
const EVERY_MS = 10_000;
/** The same while a key is lacking: what is lacking may not be needed any more after a `keys rotate`. */
const LACKING_MS = 1_000;
const DAY_MS = 86_400_000;
/** The most data keys that are remembered as lacking here; beyond that, more of them tell nothing new. */
const MOST_MET = 100;

export interface KeyWatchDeps {
  readonly keys: Pick<KeyChain, "provider" | "store">;
  readonly now: () => number;
  /** `KEY_LIFE`, ms. */
  readonly keyLifeMs: number;
  readonly logger: Logger;
  /** Jobs are taken, or not, from now on. */
  readonly onChange: (mayTake: boolean) => void;
}

/**
 * Whether this worker has every key that seals: those under which others seal today, and those of jobs that it came upon. One
 * that lacks a key takes no jobs, which another worker may open, until it is not needed any more.
 */
export class KeyWatch {
  readonly #deps: KeyWatchDeps;
  readonly #stop = new AbortController();
  /** Ids of data keys that could not be unwrapped here. */
  readonly #met = new Set<string>();
  #lacks: string | null = null;
  #wrapsSince: number | null = null;
  #wake = new AbortController();
  #looking: Promise<void> | null = null;
  #running: Promise<void> | null = null;

  constructor(deps: KeyWatchDeps) {
    this.#deps = deps;
  }

  /** Looks once, and from then on again and again. Rejects where Redis is away now. */
  async start(): Promise<void> {
    await this.look();
    this.#running = this.#run();
  }

  /** Null, or which key is lacking, in one sentence. */
  notReady(): string | null {
    return this.#lacks;
  }

  /** Until the key that wraps now has served its time, ms; null: it is a key service's, or its age is not known. */
  leftMs(): number | null {
    const { keyLifeMs, now } = this.#deps;
    return this.#wrapsSince === null ? null : this.#wrapsSince + keyLifeMs - now();
  }

  mayTake(): boolean {
    return this.#lacks === null;
  }

  /** A job whose sealed text could not be opened for want of a key here: nothing more is taken from this moment on. */
  met(sealed: string, reason: string): void {
    for (const id of dataKeyIdsIn(sealed)) if (this.#met.size < MOST_MET) this.#met.add(id);
    this.#set(this.#lacks ?? reason);
  }

  async look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null));
    await this.#looking;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#running;
  }

  async #look(): Promise<void> {
    const { keys, now } = this.#deps;
    const { provider, store } = keys;
    // A key service answers for its own keys.
    if (provider.sealingId === null) return;
    const today = new Set<string>([-1, 0, 1].map((days) => dayScope(now() + days * DAY_MS)));
    const [current, prints] = await Promise.all([store.currentByScope(), store.prints()]);
    const sealing = [...current].flatMap(([scope, id]) => (today.has(scope) ? [id] : []));
    const met = [...this.#met];
    const stored = await store.loadReadable([...new Set([...sealing, ...met])]);
    const there = new Set(stored.map(({ id }) => id));
    for (const id of met) if (!there.has(id)) this.#met.delete(id);
    const lacking = new Map<string, string>();
    for (const { by } of stored) {
      const why = this.#wrong(by, prints.get(by));
      if (why !== null) lacking.set(by, why);
    }
    for (const { id, by } of stored) if (!lacking.has(by)) this.#met.delete(id);
    this.#set(lacking.size === 0 ? null : describe([...lacking.values()]));
    // Asked until it is known; no job depends on it.
    this.#wrapsSince ??= await store.wrapsSince(provider.sealingId, now()).catch(() => null);
  }

  #wrong(by: StoredDataKey["by"], known: string | undefined): string | null {
    const print = this.#deps.keys.provider.printOf(by);
    if (print === null) return `"${by}"`;
    return known === undefined || known === print ? null : `"${by}" (it has another key of that id)`;
  }

  #set(lacks: string | null): void {
    if (lacks === this.#lacks) return;
    const { logger, onChange } = this.#deps;
    const changed = (lacks === null) !== (this.#lacks === null);
    this.#lacks = lacks;
    if (!changed) return;
    this.#wake.abort();
    if (lacks === null) logger.rarely.info({}, "every key in use is there: jobs are taken again");
    else
      logger.rarely.warn(
        { code: "unknown-key", why: lacks },
        "no jobs are taken: a key in use is not among this worker's",
      );
    onChange(lacks === null);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      const ms = this.#lacks === null ? EVERY_MS : LACKING_MS;
      await sleep(ms, undefined, { signal: this.#wake.signal, ref: false }).catch(() => {});
      // While Redis is away nothing is taken anyhow.
      if (!signal.aborted) await this.look().catch(() => {});
    }
  }
}

function describe(lacking: readonly string[]): string {
  const keys = lacking.toSorted().join(", ");
  return `it lacks ${lacking.length === 1 ? "the key" : "the keys"} ${keys} of SATYAPAN_ENCRYPTION_KEYS, in use by the other workers or by jobs that wait`;
}
