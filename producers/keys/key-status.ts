import type { StoredDataKey } from "../../src/privacy/keys/data-key-store.ts";
import { dataKeyIdsIn } from "../../src/privacy/sealing/sealed-text.ts";
import type { KeyDeps, PassOptions } from "./key-deps.ts";
import { liveRings, silentIn } from "./live-rings.ts";
import { SealedRecords } from "./sealed-records.ts";

/** A key that wraps data keys. */
export interface WrappingKey {
  readonly id: string;
  /** It wraps new data keys. */
  readonly wraps: boolean;
  /** Since when a worker has had it in the first place; null: it does not wrap, or none had it yet. ISO 8601, UTC. */
  readonly wraps_since: string | null;
  /** This process has it; null: a key service knows. */
  readonly at_hand: boolean | null;
  /** ISO 8601, UTC. */
  readonly retired_at: string | null;
  readonly data_keys: number;
  /** Workers that live and say that they have it. */
  readonly workers: number;
}

export interface DataKeyState {
  readonly id: string;
  readonly scope: string;
  readonly wrapped_by: string;
  /** ISO 8601, UTC. */
  readonly created_at: string;
  /** It seals what comes now. */
  readonly current: boolean;
  /** Records with something that it sealed. */
  readonly jobs: number;
}

export interface KeyStatus {
  readonly wrapping_keys: readonly WrappingKey[];
  /** Those that live; `silent`: how many of them do not say which keys they have. */
  readonly workers: { readonly live: number; readonly silent: number };
  /** Oldest first. */
  readonly data_keys: readonly DataKeyState[];
  /** Ids of data keys that are not what was stored. */
  readonly damaged_data_keys: readonly string[];
  /** Records with something that nobody can open any more. */
  readonly shredded_jobs: number;
  /** Since when all data keys are being replaced (`keys rotate --data`), if that did not end. ISO 8601, UTC. */
  readonly renewal_since: string | null;
}

/** What is sealed under which key. Reads all records. */
export async function keyStatus(deps: KeyDeps, options: PassOptions = {}): Promise<KeyStatus> {
  const { store, ringKeys, provider } = deps;
  const jobs = new Map<string, Set<string>>();
  for await (const page of new SealedRecords(deps.redis).pages(options)) {
    for (const { queue, id, texts } of page) {
      for (const dataKeyId of texts.flatMap(({ text }) => dataKeyIdsIn(text)))
        jobs.set(dataKeyId, (jobs.get(dataKeyId) ?? new Set()).add(`${queue}:${id}`));
    }
  }
  // After the records: one that was made while these were read is there, and nobody has to be told that it were destroyed.
  const [{ dataKeys, current, damaged }, retired] = [await store.list(), await store.retired()];
  const [renewal, rings] = [await store.renewal(), await liveRings(deps.redis)];
  const wrapping = await store.wrapping();
  const there = new Set(dataKeys.map(({ id }) => id));
  const shredded = new Set([...jobs].flatMap(([id, names]) => (there.has(id) ? [] : [...names])));
  const ids = new Set([...ringKeys, ...dataKeys.map(({ by }) => by), ...retired.keys()]);
  return {
    wrapping_keys: [...ids].map((id) => ({
      id,
      wraps: id === provider.sealingId,
      wraps_since: id === provider.sealingId ? isoOf(wrapping.get(id)) : null,
      at_hand: ringKeys.includes(id) ? true : provider.sealingId === null ? null : false,
      retired_at: isoOf(retired.get(id)),
      data_keys: dataKeys.filter(({ by }) => by === id).length,
      workers: rings.filter((ring) => ring?.includes(id) === true).length,
    })),
    workers: { live: rings.length, silent: silentIn(rings) },
    data_keys: dataKeys.map((dataKey) => toState(dataKey, current, jobs.get(dataKey.id)?.size ?? 0)),
    damaged_data_keys: damaged,
    shredded_jobs: shredded.size,
    renewal_since: isoOf(renewal?.since),
  };
}

function toState({ id, scope, by, created }: StoredDataKey, current: ReadonlySet<string>, jobs: number): DataKeyState {
  return { id, scope, wrapped_by: by, created_at: new Date(created).toISOString(), current: current.has(id), jobs };
}

function isoOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
