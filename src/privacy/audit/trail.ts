import { setTimeout as sleep } from "node:timers/promises";
import type { RedisClient } from "../../redis/connection.ts";
import type { Duty } from "../../redis/lease.ts";
import { QUEUES } from "../../queues/names.ts";
import { ErrorCode, SatyapanError } from "../../base/error.ts";
import type { Secret } from "../../secrets/secret.ts";
import { AuditChain, type UnreadableAudit } from "./chain.ts";
import { AuditFiles } from "./files.ts";
import { assertIntact } from "./intact.ts";
import { AuditKey } from "./key.ts";
import { AuditLog } from "./log.ts";

/** Between two looks, in ms, how far the log lags behind: doubles from the first to the last while nothing is new. */
const LOOK_MS = 250;
const IDLE_LOOK_MS = 3_000;
/** The files behind the log, in ms. */
const FILE_LOOK_MS = 1_000;
/** Until a folder that another worker writes to is asked for again, in ms. */
const AWAY_MS = 5_000;
/** After an error, in ms: Redis is away, the disk is full. */
const AGAIN_MS = 1_000;
/** Until a broken log is looked at, and complained of, again, in ms. */
const BROKEN_MS = 60_000;
const TRIM_EVERY_MS = 60_000;
/** After so many entries it is looked whether some can be packed. */
const PACK_EVERY = 500;

export interface AuditTrailDeps {
  /** A connection of a worker's role: it waits while Redis is away. */
  readonly redis: RedisClient;
  /** To chain and to trim. Files are written by whoever has the folder: it may be on another machine than the holder. */
  readonly duty: Duty;
  readonly subjectKey: Secret;
  /** `AUDIT_DIR`; null: the log is only in Redis. */
  readonly dir: string | null;
  /** `AUDIT_KEEP`: how long entries stay in Redis, in ms. */
  readonly keepMs: number;
  readonly onError: (error: unknown) => void;
  /** Hears what a writer of files mended: worth a look. */
  readonly onMended: (what: string) => void;
  /** Hears once of each thing in an outbox that is no entry. */
  readonly onUnreadable: (what: UnreadableAudit) => void;
}

export interface AuditMeasures {
  /** Entries that this process chained since it started. */
  readonly chained: number;
  /** Entries that wait in the outboxes. */
  readonly backlog: number;
  /** Since a writer of files said that it is up to date or wrote, in seconds; null: no folder is in use. */
  readonly fileAgeSeconds: number | null;
}

/** What workers do for the audit log: one of them chains and trims, one per folder writes files. */
export class AuditTrail {
  readonly #deps: AuditTrailDeps;
  readonly #chain: AuditChain;
  readonly #files: AuditFiles | null;
  readonly #log: AuditLog;
  readonly #stop = new AbortController();
  #loops: Promise<unknown> = Promise.resolve();

  private constructor(deps: AuditTrailDeps, key: AuditKey) {
    const { redis, dir, onMended, onUnreadable } = deps;
    this.#deps = deps;
    this.#log = new AuditLog(redis);
    this.#chain = new AuditChain({ redis, key, queues: QUEUES, onUnreadable });
    this.#files = dir === null ? null : new AuditFiles({ redis, key, dir, onMended });
  }

  /** Throws SatyapanError `audit-broken` where the end of the log is not as it was written: then nothing is started. */
  static async start(deps: AuditTrailDeps): Promise<AuditTrail> {
    const key = new AuditKey(deps.subjectKey);
    await assertIntact(deps.redis, key);
    const trail = new AuditTrail(deps, key);
    trail.#begin();
    return trail;
  }

  async measure(): Promise<AuditMeasures> {
    const [backlog, { now, filed }] = await Promise.all([this.#chain.backlog(), this.#log.head()]);
    const last = Math.max(...[...filed.values()].map(({ at }) => at));
    const fileAgeSeconds = filed.size === 0 ? null : Math.max(0, now - last) / 1_000;
    return { chained: this.#chain.chained, backlog, fileAgeSeconds };
  }

  /** Chains and writes what is there, then stops. Hangs while Redis is away: give it a limit. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#loops;
    const last = async (): Promise<void> => {
      while ((await this.#chain.step()) === "more");
      if (this.#files === null) return;
      while ((await this.#files.step()) === "more");
      await this.#files.close();
    };
    await last().catch(this.#deps.onError);
  }

  #begin(): void {
    const files = this.#files;
    const { duty } = this.#deps;
    let trimmedAt = Number.NEGATIVE_INFINITY;
    let lookMs = LOOK_MS;
    let packedAt = 0;
    const chain = async (): Promise<number> => {
      if (!duty.held) return LOOK_MS;
      const isNew = await this.#chain.look();
      const isMore = isNew && (await this.#chain.step()) === "more";
      if (this.#chain.chained - packedAt >= PACK_EVERY) {
        packedAt = this.#chain.chained;
        await this.#pack();
      }
      if (isMore) return 0;
      if (performance.now() - trimmedAt >= TRIM_EVERY_MS) {
        trimmedAt = performance.now();
        await this.#chain.sweep();
        await this.#pack();
        await this.#log.trim(this.#deps.keepMs);
      }
      lookMs = isNew ? LOOK_MS : Math.min(2 * lookMs, IDLE_LOOK_MS);
      return lookMs;
    };
    const write = async (writer: AuditFiles): Promise<number> => {
      const answer = await writer.step();
      return answer === "more" ? 0 : answer === "idle" ? FILE_LOOK_MS : AWAY_MS;
    };
    // Another may have the right key.
    const loops = [this.#repeat(chain, async () => await duty.stepAside())];
    if (files !== null) loops.push(this.#repeat(async () => await write(files)));
    this.#loops = Promise.all(loops);
  }

  async #pack(): Promise<void> {
    while (!this.#stop.signal.aborted && (await this.#log.pack())) {
      // There may be more.
    }
  }

  /** `step` says how long to wait then, in ms. */
  async #repeat(step: () => Promise<number>, onBroken?: () => Promise<void>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      let waitMs: number;
      try {
        waitMs = await step();
      } catch (error) {
        this.#deps.onError(error);
        const isBroken = error instanceof SatyapanError && error.code === ErrorCode.AUDIT_BROKEN;
        if (isBroken) await onBroken?.();
        waitMs = isBroken ? BROKEN_MS : AGAIN_MS;
      }
      if (waitMs > 0) await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}
