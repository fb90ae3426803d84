import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { wrapContext } from "../../src/privacy/sealing/data-key.ts";
import type { StoredDataKey } from "../../src/privacy/keys/data-key-store.ts";
import { retiredKey } from "../../src/privacy/keys/data-keys.ts";
import { otherRingKey } from "../../src/privacy/keys/ring-key-provider.ts";
import { auditKey } from "./key-audit.ts";
import type { KeyDeps, PassOptions, UseKeys } from "./key-deps.ts";
import { keyStatus, type KeyStatus } from "./key-status.ts";
import { assertReplaced, liveRings, silentIn } from "./live-rings.ts";
import { type ResealResult, Resealing } from "./resealing.ts";

export interface Rewrapped {
  /** Data keys that the wrapping key in force wraps now and did not before. */
  readonly rewrapped: number;
  /** Data keys that this process cannot unwrap, by the id of the key that it lacks. */
  readonly missing: Readonly<Record<string, number>>;
}

export interface Renewed extends ResealResult {
  /** Data keys that seal no more. */
  readonly replaced: number;
  /** False: it was aborted; the same call goes on. */
  readonly done: boolean;
}

export interface Retired {
  /** Workers that live and do not say which keys they have: whether one of them still wraps with it is not known. */
  readonly silent_workers: number;
}

/** Replaces keys while jobs run: those that wrap data keys, and the data keys themselves. */
export class KeyRotation {
  readonly #use: UseKeys;

  constructor(use: UseKeys) {
    this.#use = use;
  }

  async status(options: PassOptions = {}): Promise<KeyStatus> {
    return await this.#use(async (deps) => await keyStatus(deps, options));
  }

  /** Wraps every data key under the key in force. Values stay as they are: running processes do not notice. */
  async rewrap({ signal, onProgress }: PassOptions = {}): Promise<Rewrapped> {
    return await this.#use(async (deps) => {
      const { dataKeys } = await deps.store.list();
      const old = dataKeys.filter(({ by }) => by !== deps.provider.sealingId);
      let count = 0;
      const missing: Record<string, number> = {};
      for (const [index, dataKey] of old.entries()) {
        if (signal?.aborted === true) break;
        if (await rewrap(deps, dataKey)) count += 1;
        else missing[dataKey.by] = (missing[dataKey.by] ?? 0) + 1;
        onProgress?.(index + 1, old.length);
      }
      if (count > 0) await auditKey(deps, "rotated", deps.provider.sealingId ?? "of the service");
      return { rewrapped: count, missing };
    });
  }

  /**
   * Makes new data keys and seals all live records under them, beside running workers. One that was ended on the way (or
   * killed) goes on with what is left. The old data keys stay, for backups, until they are shredded.
   */
  async renew(options: PassOptions = {}): Promise<Renewed> {
    return await this.#use(async (deps) => {
      const all = (await deps.store.list()).dataKeys;
      const { ids } = await deps.store.beginRenewal({ since: deps.now(), ids: all.map(({ id }) => id) });
      const old = all.filter(({ id }) => ids.includes(id));
      await deps.dataKeys.close(ids);
      const result = await new Resealing(deps, old).run(options);
      for (const { id } of old) await auditKey(deps, "resealed", id);
      if (result.done) await deps.store.endRenewal();
      return { ...result, replaced: old.length };
    });
  }

  /**
   * Marks a wrapping key so that it never wraps again; then it can be taken out of the settings.
   * @throws SatyapanError `key-needed` while data keys are wrapped by it, it is the one that wraps, here or at a worker that
   * lives, or such a worker lacks the one that wraps now; `bad-input` for one that is not known
   */
  async retire(keyId: string): Promise<Retired> {
    return await this.#use(async (deps) => {
      const { store, provider, ringKeys, now } = deps;
      if (keyId === provider.sealingId) throw stillWraps(keyId);
      const { dataKeys } = await store.list();
      if (!ringKeys.includes(keyId) && !dataKeys.some(({ by }) => by === keyId)) throw unknownWrappingKey(keyId);
      const rings = await liveRings(deps.redis);
      assertReplaced(rings, keyId, provider.sealingId);
      const needing = await store.retire(keyId, now());
      if (needing > 0) throw needed(keyId, needing);
      await auditKey(deps, "retired", keyId);
      return { silent_workers: silentIn(rings) };
    });
  }
}

/** False: it cannot be unwrapped here. */
async function rewrap({ provider, store }: KeyDeps, dataKey: StoredDataKey): Promise<boolean> {
  const context = wrapContext(dataKey.id, dataKey.scope);
  let bytes: Uint8Array;
  try {
    bytes = await provider.unwrap(dataKey.wrapped, context);
  } catch (error) {
    if (error instanceof SatyapanError && error.code === ErrorCode.UNKNOWN_KEY) return false;
    throw error;
  }
  const wrapped = await provider.wrap(bytes, context);
  bytes.fill(0);
  const by = provider.keyIdOf(wrapped);
  const answer = await store.rewrap(dataKey.id, wrapped, by, dataKey.wrapped, provider.printOf(by));
  // `changed`: another rotation was first, or it was shredded.
  if (answer === "other") throw otherRingKey(by);
  if (answer === "retired") throw retiredKey(provider.sealingId);
  return true;
}

function stillWraps(keyId: string): SatyapanError {
  return new SatyapanError(
    ErrorCode.KEY_NEEDED,
    `the key ${keyId} wraps new data keys here: put another first in SATYAPAN_ENCRYPTION_KEYS, then \`satyapan keys rotate\``,
  );
}

function needed(keyId: string, count: number): SatyapanError {
  const what = count === 1 ? "1 data key is" : `${count} data keys are`;
  return new SatyapanError(
    ErrorCode.KEY_NEEDED,
    `the key ${keyId} is still needed: ${what} wrapped by it; \`satyapan keys rotate\` wraps them anew`,
  );
}

function unknownWrappingKey(keyId: string): SatyapanError {
  return new SatyapanError(
    ErrorCode.BAD_INPUT,
    `there is no key ${keyId}: neither in SATYAPAN_ENCRYPTION_KEYS nor on any data key; see \`satyapan keys status\``,
  );
}
