import type { Settings } from "../../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { JobRecord } from "../../src/records/record.ts";
import type { Actor } from "../base/actor.ts";
import type { UseRedis } from "../base/client-connections.ts";
import { findJob } from "./find-job.ts";
import { type IndexFilter, indexedJobs } from "./indexed-jobs.ts";
import { checkSettling, settle, type SettleDecision, type SettleOptions } from "./settle.ts";

/** Which unknown jobs; what is not given does not matter. */
export interface UnknownFilter extends IndexFilter {
  /** Those whose reason has this in it. */
  readonly reason?: string;
}

export interface SettleLikeOptions extends SettleOptions {
  /** Unknown since then or later, ms since the epoch. */
  readonly since?: number | undefined;
  /** Aborted, it ends the work between two jobs. */
  readonly signal?: AbortSignal | undefined;
  readonly onDone?: ((count: number) => void) | undefined;
}

/** The jobs whose calls may have happened: nobody is told success or failure before somebody has decided. */
export class UnknownJobs {
  readonly #use: UseRedis;
  readonly #settings: Settings;
  readonly #actor: Actor;

  constructor(use: UseRedis, settings: Settings, actor: Actor) {
    this.#use = use;
    this.#settings = settings;
    this.#actor = actor;
  }

  /** Their records, oldest first in each queue. Throws SatyapanError `unknown-operation`. */
  async *list(filter: UnknownFilter = {}): AsyncGenerator<JobRecord, void, void> {
    for await (const { record } of indexedJobs(this.#use, "unknown", filter)) {
      if (filter.reason === undefined || record.reason?.includes(filter.reason) === true) yield record;
    }
  }

  /**
   * Those that became unknown as this one did: of its operation, with the same reply and reason; itself among them. Throws
   * SatyapanError `unknown-job`, or `bad-input` where it is not unknown.
   */
  async *like(id: string, since?: number): AsyncGenerator<JobRecord, void, void> {
    const { record } = await this.#use(async ({ records }) => await findJob(records, id));
    if (record.state !== "unknown") {
      throw new SatyapanError(ErrorCode.BAD_INPUT, `job ${id} is ${record.state}, not unknown: name one that is`);
    }
    const likeness = likenessOf(record);
    const filter = { operation: record.operation, ...(since === undefined ? {} : { since }) };
    for await (const other of this.list(filter)) if (likenessOf(other) === likeness) yield other;
  }

  /** Decides all of them, one by one, each in the audit log. How many. One that somebody else decided meanwhile is left. */
  async settleLike(id: string, decision: SettleDecision, options: SettleLikeOptions): Promise<number> {
    checkSettling(decision, options);
    const { since, signal, onDone } = options;
    let settled = 0;
    for await (const record of this.like(id, since)) {
      if (signal?.aborted === true) break;
      if (!(await this.#settle(record.id, decision, options))) continue;
      settled += 1;
      onDone?.(settled);
    }
    return settled;
  }

  async #settle(id: string, decision: SettleDecision, options: SettleOptions): Promise<boolean> {
    try {
      await this.#use(async (opened) => await settle(opened, this.#settings, this.#actor, id, decision, options));
      return true;
    } catch (error) {
      const isDecided = error instanceof SatyapanError && error.code === ErrorCode.BAD_INPUT;
      if (isDecided && decision !== "resend") return false;
      throw error;
    }
  }
}

/** How a job came to be unknown, in codes and our own words. */
function likenessOf({ operation, outcome, reason }: JobRecord): string {
  return JSON.stringify([operation, outcome, reason]);
}
