import type { RedisClient } from "../../redis/connection.ts";
import { ErrorCode, SatyapanError } from "../../base/error.ts";
import { type DataKey, dataKeyOf, newDataKey, type KeyScope, wrapContext } from "../sealing/data-key.ts";
import { DATA_KEYS_CHANNEL, type DataKeyStore, type StoredDataKey, type TakenDataKey } from "./data-key-store.ts";
import type { KeyProvider } from "./key-provider.ts";
import { type KeyFailure, Opener } from "../sealing/opener.ts";
import { otherRingKey } from "./ring-key-provider.ts";
import { dataKeyIdsIn, MOST_SEALED, Sealer } from "../sealing/sealed-text.ts";

/** The time for which a destroyed key can open in a process that did not hear of it, in ms: a message may be lost. */
export const OPENER_LOOK_MS = 60_000;
/** The longest a closed key can still seal, in ms: whoever needs that nobody seals with it waits for this. */
export const SEALER_LOOK_MS = 5_000;
/** A sealer is replaced when it is half used up, so that one that was just handed out never ends in use. */
const LEAST_LEFT = MOST_SEALED / 2;
/** The most keys in memory: beyond them the one that was loaded first is forgotten, 32 bytes that can be loaded again. */
const MOST_CACHED = 2_000;

interface Cached {
  readonly dataKey: DataKey;
  /** For texts that are under this key alone, as most jobs' are. */
  readonly opener: Opener;
  /** When Redis last had it, ms. */
  seenAt: number;
}

interface CachedSealer {
  readonly sealer: Sealer;
  seenAt: number;
}

export interface DataKeysDeps {
  readonly store: DataKeyStore;
  readonly provider: KeyProvider;
  readonly now: () => number;
  /** As of `SealerOptions`. Default false. */
  readonly sealsWhole?: boolean | undefined;
}

/** The data keys that a process has at hand, unwrapped: asked per job, they cost it nothing; Redis and the provider are asked rarely. */
export class DataKeys {
  readonly #deps: DataKeysDeps;
  readonly #cached = new Map<string, Cached>();
  readonly #sealers = new Map<KeyScope, CachedSealer>();
  /** Under way, so that a hundred jobs at once ask for a key once. */
  readonly #loading = new Map<string, Promise<DataKey | KeyFailure>>();
  readonly #taking = new Map<KeyScope, Promise<Sealer>>();
  /** Scopes whose damaged key was replaced. */
  readonly #replaced = new Set<KeyScope>();
  /** Wrapping keys of this process that unwrapped something. */
  readonly #proved = new Set<string>();

  constructor(deps: DataKeysDeps) {
    this.#deps = deps;
  }

  /**
   * Seals for a scope, synchronously; for now, not to be kept: ask again for the next job.
   * @throws SatyapanError `keys-unreachable`, `unknown-key`, `bad-settings` where this process would wrap with a retired key
   */
  async sealer(scope: KeyScope): Promise<Sealer> {
    const cached = this.#sealers.get(scope);
    if (cached !== undefined && cached.sealer.left >= LEAST_LEFT) {
      if (this.#isFresh(cached.seenAt, SEALER_LOOK_MS)) return cached.sealer;
      const askedAt = this.#deps.now();
      if ((await this.#deps.store.currentFor(scope)) === cached.sealer.dataKey.id) {
        cached.seenAt = askedAt;
        return cached.sealer;
      }
    }
    return await once(this.#taking, scope, async () => await this.#takeReadable(scope));
  }

  /**
   * Opens what stands in these texts (sealed ones, or the JSON around them), synchronously. A key that cannot be had is told
   * only when a value of it is opened.
   * @throws SatyapanError `keys-unreachable`
   */
  async opener(texts: readonly string[]): Promise<Opener> {
    const ids = new Set(texts.flatMap(dataKeyIdsIn));
    const found = new Map<string, DataKey | KeyFailure>();
    const missing: string[] = [];
    for (const id of ids) {
      const cached = this.#cached.get(id);
      if (cached === undefined || !this.#isFresh(cached.seenAt, OPENER_LOOK_MS)) missing.push(id);
      else if (ids.size === 1) return cached.opener;
      else found.set(id, cached.dataKey);
    }
    for (const id of missing) found.set(id, await once(this.#loading, id, async () => await this.#load(id)));
    return new Opener(found);
  }

  /** These seal no more: the next sealer of their scopes has a new key. How many were in use. */
  async close(ids: readonly string[]): Promise<number> {
    const count = await this.#deps.store.close(ids);
    this.#forget("closed", ids);
    return count;
  }

  /** Nothing that they sealed can be opened any more. How many there were. */
  async destroy(ids: readonly string[]): Promise<number> {
    const count = await this.#deps.store.destroy(ids);
    this.#forget("destroyed", ids);
    return count;
  }

  /** What others destroy or close is forgotten here at once. Its owner closes `subscriber`, which is for nothing else unless it `sharesMessages`. */
  async listen(subscriber: RedisClient): Promise<void> {
    subscriber.on("message", (channel: string, message: string) => {
      const [what = "", ...ids] = message.split(" ");
      if (channel === DATA_KEYS_CHANNEL) this.#forget(what, ids);
    });
    // What was said meanwhile is lost: look at everything again.
    subscriber.on("close", () => this.doubt());
    await subscriber.subscribe(DATA_KEYS_CHANNEL);
  }

  /**
   * A damaged key must not stop what comes in: another takes its place. Once per scope: two processes with different keys
   * of one id would replace each other's for ever.
   */
  async #takeReadable(scope: KeyScope): Promise<Sealer> {
    try {
      return await this.#take(scope, null);
    } catch (error) {
      if (!(error instanceof SatyapanError) || error.code !== ErrorCode.UNREADABLE) throw error;
      if (this.#replaced.has(scope)) throw error;
      this.#replaced.add(scope);
      return await this.#take(scope, await this.#deps.store.currentFor(scope));
    }
  }

  async #take(scope: KeyScope, damaged: string | null): Promise<Sealer> {
    const { store, now, sealsWhole = false } = this.#deps;
    const askedAt = now();
    let taken = await store.take(scope, null, damaged);
    let made: DataKey | null = null;
    if (taken.kind === "none") {
      const offer = await this.#offer(scope);
      made = offer.dataKey;
      const print = this.#deps.provider.printOf(offer.stored.by);
      taken = await store.take(scope, offer.stored, damaged, print);
      if (taken.kind === "other") throw otherRingKey(offer.stored.by);
    }
    if (taken.kind !== "taken") throw retiredKey(this.#deps.provider.sealingId);
    const dataKey = made !== null && made.id === taken.stored.id ? made : await this.#atHand(taken, askedAt);
    const sealer = new Sealer(dataKey, taken.sealer, { sealsWhole });
    this.#remember(dataKey, askedAt);
    this.#sealers.set(scope, { sealer, seenAt: askedAt });
    return sealer;
  }

  async #offer(scope: KeyScope): Promise<{ readonly dataKey: DataKey; readonly stored: StoredDataKey }> {
    const { store, provider, now } = this.#deps;
    const { dataKey, bytes } = newDataKey(scope);
    const wrapped = await provider.wrap(bytes, wrapContext(dataKey.id, scope));
    bytes.fill(0);
    const created = now();
    const before = (await store.list()).dataKeys.filter((other) => other.scope === scope);
    const since = Math.min(created, ...before.map((other) => other.since));
    return { dataKey, stored: { id: dataKey.id, wrapped, by: provider.keyIdOf(wrapped), scope, created, since } };
  }

  async #atHand({ stored }: TakenDataKey, askedAt: number): Promise<DataKey> {
    const cached = this.#cached.get(stored.id);
    if (cached !== undefined) {
      cached.seenAt = askedAt;
      return cached.dataKey;
    }
    return await this.#unwrap(stored);
  }

  async #load(id: string): Promise<DataKey | KeyFailure> {
    const askedAt = this.#deps.now();
    try {
      const [stored] = await this.#deps.store.load([id]);
      if (stored === undefined) {
        this.#cached.delete(id);
        return { kind: "shredded" };
      }
      const dataKey = this.#cached.get(id)?.dataKey ?? (await this.#unwrap(stored));
      this.#remember(dataKey, askedAt);
      return dataKey;
    } catch (error) {
      if (!(error instanceof SatyapanError)) throw error;
      if (error.code === ErrorCode.UNKNOWN_KEY) return { kind: "unknown-key", message: error.message };
      if (error.code === ErrorCode.UNREADABLE) return { kind: "unreadable" };
      throw error;
    }
  }

  async #unwrap({ id, scope, wrapped, by }: StoredDataKey): Promise<DataKey> {
    const { provider, store } = this.#deps;
    const print = provider.printOf(by);
    let bytes: Uint8Array;
    try {
      bytes = await provider.unwrap(wrapped, wrapContext(id, scope));
    } catch (error) {
      if (!(error instanceof SatyapanError) || error.code !== ErrorCode.UNREADABLE || print === null) throw error;
      const known = (await store.prints()).get(by);
      throw known === undefined || known === print ? error : otherRingKey(by);
    }
    if (print !== null && !this.#proved.has(by)) {
      await store.proved(by, print);
      this.#proved.add(by);
    }
    const dataKey = dataKeyOf(id, scope, bytes);
    bytes.fill(0);
    return dataKey;
  }

  #remember(dataKey: DataKey, seenAt: number): void {
    this.#cached.set(dataKey.id, { dataKey, opener: new Opener(new Map([[dataKey.id, dataKey]])), seenAt });
    for (const id of this.#cached.keys()) if (this.#cached.size > MOST_CACHED) this.#cached.delete(id);
    // A sealer of a day that is over, a batch that is in.
    for (const [scope, { seenAt: last }] of this.#sealers) {
      if (seenAt - last > OPENER_LOOK_MS) this.#sealers.delete(scope);
    }
  }

  #forget(what: string, ids: readonly string[]): void {
    for (const [scope, { sealer }] of this.#sealers) if (ids.includes(sealer.dataKey.id)) this.#sealers.delete(scope);
    if (what === "destroyed") for (const id of ids) this.#cached.delete(id);
  }

  /** Redis may not have them any more: each is looked at before it is used again. */
  doubt(): void {
    for (const cached of [...this.#cached.values(), ...this.#sealers.values()])
      cached.seenAt = Number.NEGATIVE_INFINITY;
  }

  /** A clock that was put back makes nothing fresh. */
  #isFresh(seenAt: number, forMs: number): boolean {
    const age = this.#deps.now() - seenAt;
    return age >= 0 && age < forMs;
  }
}

async function once<K, V>(underWay: Map<K, Promise<V>>, key: K, work: () => Promise<V>): Promise<V> {
  const begun = underWay.get(key);
  if (begun !== undefined) return await begun;
  const working = work();
  underWay.set(key, working);
  try {
    return await working;
  } finally {
    underWay.delete(key);
  }
}

export function retiredKey(keyId: string | null): SatyapanError {
  return new SatyapanError(
    ErrorCode.BAD_SETTINGS,
    `the key ${keyId ?? "of the key service"} was retired (satyapan keys retire) and must not wrap data keys any more: ` +
      "take it out of SATYAPAN_ENCRYPTION_KEYS, or put another first",
  );
}
