import { assertNever } from "../../src/base/assert-never.ts";
import { formatDuration } from "../../src/base/duration.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { batchRowsScope, batchScope, isKeyScope, scopeEnd } from "../../src/privacy/sealing/data-key.ts";
import type { StoredDataKey } from "../../src/privacy/keys/data-key-store.ts";
import { dataKeyIdsIn } from "../../src/privacy/sealing/sealed-text.ts";
import { batchKey } from "../../src/batches/keys.ts";
import { isBatchId } from "../../src/records/ids.ts";
import { RecordReader } from "../../src/records/record-reader.ts";
import { QUEUES } from "../../src/queues/names.ts";
import { isTerminal } from "../../src/outcomes/state.ts";
import { type DiskPurge, purgeDisk } from "./disk-purge.ts";
import { auditShred } from "./key-audit.ts";
import type { KeyDeps, PassOptions, UseKeys } from "./key-deps.ts";
import { Resealing } from "./resealing.ts";
import { type SealedRecord, SealedRecords } from "./sealed-records.ts";
import { unknownJob } from "../jobs/find-job.ts";

/** What is to be unreadable for ever. */
export type ShredTarget =
  /** All that was sealed for this batch. */
  | { readonly kind: "batch"; readonly name: string }
  /** What this job's record holds, and no other's. */
  | { readonly kind: "job"; readonly id: string }
  /** All that was sealed for days that ended, and for batches that began, longer ago; in ms. */
  | { readonly kind: "older"; readonly thanMs: number };

export interface ShredPlan {
  readonly dataKeys: readonly StoredDataKey[];
  /** Records that lose what is sealed in them. */
  readonly jobs: number;
  /** Those among them that are not settled: they will fail. */
  readonly open: number;
  /** Records that are sealed anew first, because they share a data key and are to stay. */
  readonly others: number;
}

export interface Shredded {
  /** Data keys that were destroyed. */
  readonly destroyed: number;
  /** Fields of other records that were sealed anew. */
  readonly resealed: number;
  /** False: it was aborted before anything was destroyed. */
  readonly done: boolean;
  /** Something more was sealed for the job meanwhile: shred it again. */
  readonly again: boolean;
  /** Null: nothing was destroyed. */
  readonly disk: DiskPurge | null;
}

/** A job of yesterday may just be on its way in. */
const LEAST_AGE_MS = 3_600_000;

/** Destroys data keys: what they sealed can then be opened by nobody, wherever copies of it are. */
export class Shredding {
  readonly #use: UseKeys;

  constructor(use: UseKeys) {
    this.#use = use;
  }

  /** Whether anything is sealed for a batch of this id, or of this name of `submit --batch`. */
  async isSealedFor(batch: string): Promise<boolean> {
    return isKeyScope(`batch:${batch}`) && (await this.#use(async (deps) => await keysOfBatch(deps, batch))).length > 0;
  }

  /** What `shred` would do. Throws SatyapanError `bad-input`, `unknown-job`. */
  async plan(target: ShredTarget, options: PassOptions = {}): Promise<ShredPlan> {
    return await this.#use(async (deps) => {
      const { dataKeys } = await find(deps, target);
      const ids = new Set(dataKeys.map(({ id }) => id));
      const seen = { jobs: new Set<string>(), open: new Set<string>(), others: new Set<string>() };
      for await (const page of ids.size === 0 ? [] : new SealedRecords(deps.redis).pages(options)) {
        for (const record of page) {
          if (!record.texts.some(({ text }) => dataKeyIdsIn(text).some((id) => ids.has(id)))) continue;
          const name = `${record.queue}:${record.id}`;
          const isOther = target.kind === "job" && record.id !== target.id;
          seen[isOther ? "others" : "jobs"].add(name);
          if (!isOther && !isTerminal(record.state)) seen.open.add(name);
        }
      }
      return { dataKeys, jobs: seen.jobs.size, open: seen.open.size, others: seen.others.size };
    });
  }

  /**
   * Destroys the data keys, then has their Redis write its files anew.
   * @throws SatyapanError `bad-input`, `unknown-job`; `unknown-key` where a record that is to stay cannot be opened here
   */
  async shred(target: ShredTarget, options: PassOptions = {}): Promise<Shredded> {
    return await this.#use(async (deps) => {
      const { dataKeys, record } = await find(deps, target);
      const ids = dataKeys.map(({ id }) => id);
      const nothing = { destroyed: 0, resealed: 0, done: true, again: false, disk: null };
      if (ids.length === 0) return nothing;
      let count = 0;
      if (record !== null) {
        const { resealed, done } = await keepOthers(deps, dataKeys, record, options);
        count = resealed;
        if (!done) return { ...nothing, resealed, done };
      }
      // Before it is done: of what can never be undone the log must not lack anything.
      await auditShred(deps, describeTarget(target), ids.length);
      const destroyed = await deps.dataKeys.destroy(ids);
      const disk = await purgeDisk(deps.keysRedis, deps.sleep);
      const left = record === null ? null : await keysOf(deps, record.id);
      const again = left !== null && left.dataKeys.length > 0;
      return { destroyed, resealed: count, done: true, again, disk };
    });
  }
}

function describeTarget(target: ShredTarget): string {
  switch (target.kind) {
    case "batch":
      return `batch:${target.name}`;
    case "job":
      return `job:${target.id}`;
    case "older":
      return `older-than:${formatDuration(target.thanMs)}`;
    default:
      return assertNever(target, "shred target");
  }
}

async function find(
  deps: KeyDeps,
  target: ShredTarget,
): Promise<{ readonly dataKeys: StoredDataKey[]; readonly record: SealedRecord | null }> {
  const { store, now } = deps;
  switch (target.kind) {
    case "batch": {
      const dataKeys = await keysOfBatch(deps, target.name);
      if (dataKeys.length === 0) throw badInput(`batch: there is no data key of the batch ${target.name} (any more)`);
      return { dataKeys, record: null };
    }
    case "job": {
      const found = await keysOf(deps, target.id);
      if (found === null) throw (await isArchived(deps, target.id)) ? nothingSealed(target.id) : unknownJob(target.id);
      if (found.record.state === "active")
        throw badInput(`job ${target.id} is being called just now: shred it when it is settled`);
      const batch = await openBatchOf(deps, found.record);
      if (batch !== null)
        throw badInput(
          `job ${target.id} is a row of batch ${batch}, which holds it sealed too: shred it when that is over`,
        );
      if (found.dataKeys.length === 0) throw nothingSealed(target.id);
      return found;
    }
    case "older": {
      if (target.thanMs < LEAST_AGE_MS)
        throw badInput(`older than ${formatDuration(target.thanMs)} is too new to shred: at least 1h`);
      const before = now() - target.thanMs;
      const { dataKeys } = await store.list();
      return { dataKeys: dataKeys.filter(({ scope, since }) => (scopeEnd(scope) ?? since) <= before), record: null };
    }
    default:
      return assertNever(target, "shred target");
  }
}

/** Throws SatyapanError `bad-input` for what can be no such name. */
async function keysOfBatch({ store }: KeyDeps, name: string): Promise<StoredDataKey[]> {
  const scopes = [batchScope(name), batchRowsScope(name)];
  return (await store.list()).dataKeys.filter(({ scope }) => scopes.includes(scope));
}

/** A job's record and the data keys under which something of it can still be opened; null: there is no such job. */
async function keysOf(deps: KeyDeps, id: string): Promise<{ record: SealedRecord; dataKeys: StoredDataKey[] } | null> {
  const records = new SealedRecords(deps.redis);
  for (const queue of QUEUES) {
    const record = await records.get(queue, id);
    if (record === null) continue;
    const ids = [...new Set(record.texts.flatMap(({ text }) => dataKeyIdsIn(text)))];
    return { record, dataKeys: await deps.store.load(ids) };
  }
  return null;
}

/** Of what is in the archive nothing sealed is kept. */
async function isArchived({ redis }: KeyDeps, id: string): Promise<boolean> {
  const records = new RecordReader(redis);
  const states = await Promise.all(QUEUES.map(async (queue) => await records.states(queue, [id])));
  return states.flat().some((state) => state !== null);
}

function nothingSealed(id: string): SatyapanError {
  return badInput(`job ${id} has nothing sealed that could be opened`);
}

/** The batch whose rows still lie there, of which the job is one; null: none. */
async function openBatchOf({ redis }: KeyDeps, { queue, id }: SealedRecord): Promise<string | null> {
  const [batch = ""] = id.split("-");
  if (!isBatchId(batch)) return null;
  return (await redis.exists(`${batchKey(queue, batch)}:in`)) === 1 ? batch : null;
}

async function keepOthers(deps: KeyDeps, dataKeys: readonly StoredDataKey[], own: SealedRecord, options: PassOptions) {
  await deps.dataKeys.close(dataKeys.map(({ id }) => id));
  const isOwn = ({ queue, id }: SealedRecord): boolean => queue === own.queue && id === own.id;
  const result = await new Resealing(deps, dataKeys, isOwn).run(options);
  if (result.locked === 0) return result;
  throw new SatyapanError(
    ErrorCode.UNKNOWN_KEY,
    `nothing was shredded: ${result.locked} other jobs share the data key and cannot be opened here, because its wrapping ` +
      "key is not among this process's; see `satyapan keys status`",
  );
}

function badInput(message: string): SatyapanError {
  return new SatyapanError(ErrorCode.BAD_INPUT, message);
}
