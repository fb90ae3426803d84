import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { SEALER_LOOK_MS } from "../../src/privacy/keys/data-keys.ts";
import type { StoredDataKey } from "../../src/privacy/keys/data-key-store.ts";
import type { Sealer } from "../../src/privacy/sealing/sealed-text.ts";
import { dataKeyIdOf, dataKeyIdsIn } from "../../src/privacy/sealing/sealed-text.ts";
import { resealed, type SealedField } from "../../src/records/resealed.ts";
import type { KeyDeps, PassOptions } from "./key-deps.ts";
import { type SealedRecord, SealedRecords } from "./sealed-records.ts";

/**
 * After a key was closed and records were sealed anew: so long somebody may still seal with it (`SEALER_LOOK_MS`), or hold
 * what it sealed or read before and has not yet written or opened (the rest), in ms.
 */
export const IN_HAND_MS = SEALER_LOOK_MS + 5_000;

export interface ResealResult {
  /** Fields of records that were sealed anew. */
  readonly resealed: number;
  /** Records that nobody can open: damaged or shredded. They stay as they are. */
  readonly unreadable: number;
  /** Records that this process cannot open, because a wrapping key is not among its own. They stay as they are. */
  readonly locked: number;
}

/** Seals what stands in live records anew, under fresh keys of the same scopes. */
export class Resealing {
  readonly #deps: KeyDeps;
  readonly #records: SealedRecords;
  readonly #old: ReadonlyMap<string, StoredDataKey>;
  readonly #isSpared: (record: SealedRecord) => boolean;

  /** `old`: the data keys that are replaced; closed. `isSpared`: these records are left as they are. */
  constructor(deps: KeyDeps, old: readonly StoredDataKey[], isSpared: (record: SealedRecord) => boolean = () => false) {
    this.#deps = deps;
    this.#records = new SealedRecords(deps.redis);
    this.#old = new Map(old.map((dataKey) => [dataKey.id, dataKey]));
    this.#isSpared = isSpared;
  }

  /** Until no record names an old key any more, and nobody holds one that does. Not done where it is aborted. */
  async run(options: PassOptions): Promise<ResealResult & { readonly done: boolean }> {
    if (this.#old.size === 0) return { resealed: 0, unreadable: 0, locked: 0, done: true };
    let count = 0;
    for (let pass = 1; ; pass += 1) {
      const { found, tried } = await this.#pass(options);
      count += found.resealed;
      // What somebody changed in the same moment was tried and not sealed: it is looked at again.
      const isLast = pass > 1 && tried === 0;
      if (isAborted(options) || isLast) return { ...found, resealed: count, done: !isAborted(options) };
      await this.#deps.sleep(IN_HAND_MS, options.signal);
    }
  }

  async #pass(options: PassOptions): Promise<{ readonly found: ResealResult; readonly tried: number }> {
    let [resealedFields, tried] = [0, 0];
    const closed = { unreadable: new Set<string>(), locked: new Set<string>() };
    for await (const page of this.#records.pages(options)) {
      for (const record of page) {
        if (isAborted(options)) break;
        if (this.#isSpared(record) || !this.#namesOld(record)) continue;
        for (const { field, old, text } of await this.#reseal(record, (why) => closed[why].add(nameOf(record)))) {
          tried += 1;
          if (await this.#records.replace(record, field, old, text)) resealedFields += 1;
        }
      }
    }
    const { unreadable, locked } = closed;
    return { found: { resealed: resealedFields, unreadable: unreadable.size, locked: locked.size }, tried };
  }

  #namesOld({ texts }: SealedRecord): boolean {
    return texts.some(({ text }) => dataKeyIdsIn(text).some((id) => this.#old.has(id)));
  }

  /** What its fields should hold instead; those that do not open stay as they are. */
  async #reseal(record: SealedRecord, stays: (why: "unreadable" | "locked") => void): Promise<Replacement[]> {
    const { dataKeys } = this.#deps;
    const texts = record.texts.map(({ text }) => text);
    const opener = await dataKeys.opener(texts);
    const sealers = new Map<string, Sealer>();
    for (const id of texts.flatMap(dataKeyIdsIn)) {
      const old = this.#old.get(id);
      if (old !== undefined) sealers.set(id, await dataKeys.sealer(old.scope));
    }
    const sealerFor = (text: string): Sealer | null => sealers.get(dataKeyIdOf(text) ?? "") ?? null;
    const job = { operation: record.operation, jobId: record.id };
    return record.texts.flatMap(({ field, text: old }) => {
      const text = openable(() => resealed(field, old, job, { opener, sealerFor }), stays) ?? old;
      return text === old ? [] : [{ field, old, text }];
    });
  }
}

interface Replacement {
  readonly field: SealedField;
  readonly old: string;
  readonly text: string;
}

function nameOf({ queue, id }: SealedRecord): string {
  return `${queue}:${id}`;
}

/** Null: it does not open, which `stays` is told. */
function openable(work: () => string, stays: (why: "unreadable" | "locked") => void): string | null {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof SatyapanError)) throw error;
    stays(error.code === ErrorCode.UNKNOWN_KEY ? "locked" : "unreadable");
    return null;
  }
}

function isAborted({ signal }: PassOptions): boolean {
  return signal?.aborted === true;
}
