import { z } from "zod";
import { ErrorCode, SatyapanError } from "../../base/error.ts";
import type { RedisClient } from "../../redis/connection.ts";
import { isKeyScope, type KeyScope } from "../sealing/data-key.ts";
import { CLOSE, DESTROY, PROVED, RETIRE, REWRAP, TAKE } from "./data-key-scripts.ts";
import { parseJson } from "../../base/json.ts";

/** A message is `closed ID…` (they seal no more) or `destroyed ID…`. */
export const DATA_KEYS_CHANNEL = "satyapan:data-keys";
/** With one hash tag: a script touches several of them. Id → JSON of the rest of `StoredDataKey`. */
export const DATA_KEYS = "satyapan:{data-keys}";
/** Scope → id of the key that seals for it now. */
const CURRENT = `${DATA_KEYS}:current`;
/** Id → how many sealers it had. */
const SEALERS = `${DATA_KEYS}:sealers`;
/** Id of a wrapping key → when it was retired, ms. */
const RETIRED = `${DATA_KEYS}:retired`;
/** Id of a wrapping key → `KeyProvider.printOf` of the one that wrapped first. */
const PRINTS = `${DATA_KEYS}:prints`;
/** Id of a wrapping key → when a process first had it in the first place, ms. */
export const WRAPS_SINCE = `${DATA_KEYS}:wraps-since`;
/** JSON of a `Renewal`; gone when it is done. */
const RENEWAL = `${DATA_KEYS}:renewal`;

/** A data key as it is kept: wrapped. Times in ms. */
export interface StoredDataKey {
  readonly id: string;
  readonly wrapped: string;
  /** The id of the key that wrapped it. */
  readonly by: string;
  readonly scope: KeyScope;
  readonly created: number;
  /** When the first key of this scope was made: what is sealed under this one may be as old. */
  readonly since: number;
}

/** A data key to seal with, and the number of its new sealer. */
export interface TakenDataKey {
  readonly stored: StoredDataKey;
  readonly sealer: number;
}

export type Taking =
  | ({ readonly kind: "taken" } & TakenDataKey)
  /** The scope has no key, and none was offered. */
  | { readonly kind: "none" }
  /** The offered key is wrapped by one that was retired. */
  | { readonly kind: "retired" }
  /** The offered key is wrapped by another key than the one that has its id. */
  | { readonly kind: "other" };

export interface DataKeyList {
  /** Oldest first. */
  readonly dataKeys: readonly StoredDataKey[];
  /** Ids of those that seal now. */
  readonly current: ReadonlySet<string>;
  /** Ids of what is not what was stored. */
  readonly damaged: readonly string[];
}

/** The replacement of all data keys there are. */
export interface Renewal {
  /** ms. */
  readonly since: number;
  /** Those that are replaced: by name, because clocks differ. */
  readonly ids: readonly string[];
}

/** Wrapped data keys in Redis. Every change is one atomic step. */
export class DataKeyStore {
  readonly #redis: RedisClient;

  constructor(redis: RedisClient) {
    this.#redis = redis;
  }

  /** The key of a scope with a new sealer number; where there is none (or only `damaged`), `offer` becomes it. */
  async take(
    scope: KeyScope,
    offer: StoredDataKey | null,
    damaged: string | null = null,
    print: string | null = null,
  ): Promise<Taking> {
    const offered = { id: offer?.id ?? null, json: offer === null ? null : toJson(offer), by: offer?.by ?? null };
    const keys = [DATA_KEYS, CURRENT, SEALERS, RETIRED, PRINTS];
    const [kind, id, json, sealer] = (await TAKE.run(this.#redis, keys, {
      scope,
      ...offered,
      damaged,
      print,
    })) as string[];
    if (kind !== "taken") return { kind: kind as "none" | "retired" | "other" };
    return { kind, stored: parse(id ?? "", json ?? ""), sealer: Number(sealer) };
  }

  /** The id of the key that seals for a scope now, or null. */
  async currentFor(scope: KeyScope): Promise<string | null> {
    return await this.#redis.hget(CURRENT, scope);
  }

  /** `KeyProvider.printOf` of the key that wraps under each id, as far as one is known. */
  async prints(): Promise<ReadonlyMap<string, string>> {
    return new Map(Object.entries(await this.#redis.hgetall(PRINTS)));
  }

  /** A data key was unwrapped with this key: from now on, another one of its id is the wrong one. */
  async proved(keyId: string, print: string): Promise<void> {
    await PROVED.run(this.#redis, [PRINTS], { by: keyId, print });
  }

  /** Ids of the keys that seal now, by scope. */
  async currentByScope(): Promise<ReadonlyMap<string, string>> {
    return new Map(Object.entries(await this.#redis.hgetall(CURRENT)));
  }

  /** Those of the ids that are there. */
  async load(ids: readonly string[]): Promise<StoredDataKey[]> {
    if (ids.length === 0) return [];
    const found = await this.#redis.hmget(DATA_KEYS, ...ids);
    return ids.flatMap((id, index) => {
      const json = found[index] ?? null;
      return json === null ? [] : [parse(id, json)];
    });
  }

  /** Data keys as `load` gives them, without those that are not what was stored. */
  async loadReadable(ids: readonly string[]): Promise<StoredDataKey[]> {
    if (ids.length === 0) return [];
    const found = await this.#redis.hmget(DATA_KEYS, ...ids);
    return ids.flatMap((id, index) => read(id, found[index] ?? "") ?? []);
  }

  async list(): Promise<DataKeyList> {
    const entries = Object.entries(await this.#redis.hgetall(DATA_KEYS));
    const found = entries.map(([id, json]) => ({ id, stored: read(id, json) }));
    const dataKeys = found.flatMap(({ stored }) => stored ?? []);
    return {
      dataKeys: dataKeys.toSorted((one, other) => one.created - other.created),
      current: new Set(Object.values(await this.#redis.hgetall(CURRENT))),
      damaged: found.filter(({ stored }) => stored === null).map(({ id }) => id),
    };
  }

  /**
   * `changed`: it is not wrapped as `expected` any more, or gone; `retired`: by a key that must not wrap; `other`: by
   * another key than the one of that id.
   */
  async rewrap(
    id: string,
    wrapped: string,
    by: string,
    expected: string,
    print: string | null = null,
  ): Promise<"done" | "changed" | "retired" | "other"> {
    const args = { id, wrapped, by, before: expected, print };
    return (await REWRAP.run(this.#redis, [DATA_KEYS, RETIRED, PRINTS], args)) as
      "done" | "changed" | "retired" | "other";
  }

  /** They open, but seal no more: the next that asks for their scopes makes new ones. How many were current. */
  async close(ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    const rows = ids.map((id) => ({ id }));
    return Number(await CLOSE.run(this.#redis, [CURRENT], { channel: DATA_KEYS_CHANNEL }, rows));
  }

  /** For good. How many there were. */
  async destroy(ids: readonly string[]): Promise<number> {
    if (ids.length === 0) return 0;
    const keys = [DATA_KEYS, CURRENT, SEALERS];
    const rows = ids.map((id) => ({ id }));
    return Number(await DESTROY.run(this.#redis, keys, { channel: DATA_KEYS_CHANNEL }, rows));
  }

  /** Marks a wrapping key so that it wraps no more; or how many data keys still need it, and it is not marked. */
  async retire(keyId: string, now: number): Promise<number> {
    return Number(await RETIRE.run(this.#redis, [DATA_KEYS, RETIRED], { by: keyId, now }));
  }

  /** When each was retired, ms, by the id of the wrapping key. */
  async retired(): Promise<ReadonlyMap<string, number>> {
    return new Map(Object.entries(await this.#redis.hgetall(RETIRED)).map(([id, at]) => [id, Number(at)]));
  }

  /** Since when this key wraps, ms: from `now` on, where nobody has said so before. */
  async wrapsSince(keyId: string, now: number): Promise<number> {
    const known = Number((await this.#redis.hget(WRAPS_SINCE, keyId)) ?? Number.NaN);
    if (Number.isFinite(known)) return known;
    await this.#redis.hset(WRAPS_SINCE, keyId, now);
    return now;
  }

  /** Since when, ms, each key wraps or wrapped that a worker ever had in the first place, by its id. */
  async wrapping(): Promise<ReadonlyMap<string, number>> {
    return new Map(Object.entries(await this.#redis.hgetall(WRAPS_SINCE)).map(([id, at]) => [id, Number(at)]));
  }

  /** `offered`, or the renewal that was begun before and did not end. */
  async beginRenewal(offered: Renewal): Promise<Renewal> {
    await this.#redis.set(RENEWAL, JSON.stringify(offered), "NX");
    return (await this.renewal()) ?? offered;
  }

  /** Null: none is under way. */
  async renewal(): Promise<Renewal | null> {
    const json = await this.#redis.get(RENEWAL);
    if (json === null) return null;
    const renewal = RenewalForm.safeParse(parseJson(json));
    // Begun again, it replaces what there is; what was replaced before stays replaced.
    return renewal.success ? renewal.data : null;
  }

  async endRenewal(): Promise<void> {
    await this.#redis.del(RENEWAL);
  }
}

const RenewalForm = z.object({ since: z.number(), ids: z.array(z.string()) });
const Stored = z.object({
  wrapped: z.string(),
  by: z.string(),
  scope: z.custom<KeyScope>((scope) => typeof scope === "string" && isKeyScope(scope)),
  created: z.number(),
  since: z.number(),
});

function toJson({ wrapped, by, scope, created, since }: StoredDataKey): string {
  return JSON.stringify({ wrapped, by, scope, created, since });
}

/** Throws SatyapanError `unreadable` for what we did not write. */
function parse(id: string, json: string): StoredDataKey {
  const stored = read(id, json);
  if (stored === null) throw new SatyapanError(ErrorCode.UNREADABLE, `the stored data key ${id} is damaged`);
  return stored;
}

function read(id: string, json: string): StoredDataKey | null {
  const stored = Stored.safeParse(parseJson(json));
  return stored.success ? { ...stored.data, id } : null;
}
