import { setTimeout as sleep } from "node:timers/promises";
import { HEARTBEAT } from "../src/operations/catalogue.ts";
import { isTerminal } from "../src/outcomes/state.ts";
import type { DataKeys } from "../src/privacy/keys/data-keys.ts";
import { dayScope } from "../src/privacy/sealing/data-key.ts";
import { beatCameThrough, beginBeats, type LastBeat, readLastBeat } from "../src/queues/last-beat.ts";
import { HEARTBEAT_QUEUE, queuePrefix } from "../src/queues/names.ts";
import { newJob } from "../src/records/new-job.ts";
import { parseRecord } from "../src/records/parse-record.ts";
import type { RecordStore } from "../src/records/record-store.ts";
import type { RetentionTimes } from "../src/records/settings.ts";
import type { NewJob } from "../src/records/stored-job.ts";
import type { TicketPacker } from "../src/records/ticket-packer.ts";
import type { RedisClient } from "../src/redis/connection.ts";
import type { Duty } from "../src/redis/lease.ts";
import { Secret } from "../src/secrets/secret.ts";
import type { Logger } from "../src/telemetry/logger.ts";

/** Between two beats, in ms. */
const EVERY_MS = 60_000;
/** One that has not come through by then does not, in ms: the next one follows. */
const MOST_MS = 50_000;
/** Between two looks at one that is under way, in ms: doubles from the first to the last. */
const LOOK_MS = 20;
const LOOK_LAST_MS = 1_000;
/** As soon as another may have left it, in ms. */
const IDLE_MS = 1_000;
/** Jobs of one beat: two, so that they share a ticket. */
const JOBS = ["a", "b"];

/** What is kept of beats, in ms: long enough to look at one that failed. */
export const BEAT_RETENTION: RetentionTimes = { recordMs: 600_000, resultMs: 600_000 };

export interface HeartbeatDeps {
  /** Fails fast while Redis is away. */
  readonly redis: RedisClient;
  readonly duty: Duty;
  /** With `BEAT_RETENTION`. */
  readonly records: RecordStore;
  readonly packer: Pick<TicketPacker, "pack" | "enqueue">;
  readonly dataKeys: Pick<DataKeys, "sealer">;
  readonly subjectKey: Secret;
  readonly logger: Logger;
  /** Redis' time, ms. */
  readonly now: () => number;
}

/**
 * Once a minute jobs about nobody go the whole way: sealed, in a ticket, through the gate, signed, sent, written down. One worker
 * makes them, any takes them. Their ids follow from the minute, so that whoever comes after makes none twice.
 */
export class Heartbeat {
  readonly #deps: HeartbeatDeps;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(deps: HeartbeatDeps) {
    this.#deps = deps;
    this.#running = this.#run();
  }

  /** The last one that came through; null: none was looked for yet. */
  async last(): Promise<LastBeat | null> {
    return await readLastBeat(this.#deps.redis);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { duty, redis, now, logger } = this.#deps;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const begun = now();
      const nth = Math.floor(begun / EVERY_MS);
      if (duty.held) {
        try {
          await beginBeats(redis, begun);
          await this.#beat(nth);
        } catch (err) {
          logger.rarely.warn({ err }, "heartbeat could not be made");
        }
      }
      // On time, whatever the last one took.
      const waitMs = duty.held ? (nth + 1) * EVERY_MS - now() : IDLE_MS;
      await sleep(Math.min(EVERY_MS, Math.max(LOOK_MS, waitMs)), undefined, { signal, ref: false }).catch(() => {});
    }
  }

  async #beat(nth: number): Promise<void> {
    const { redis, records, packer, now } = this.#deps;
    await this.#tidy();
    const made = await packer.pack(HEARTBEAT_QUEUE, await this.#jobs(nth));
    const created = await records.create(HEARTBEAT_QUEUE, made);
    // Those that were there before are another's, who has queued them or was killed in between: the next beat tells.
    const own = made.filter((_, index) => created[index] === "created");
    if (own.length > 0) await packer.enqueue(HEARTBEAT_QUEUE, own);
    const took = await this.#through(made);
    if (took !== null) await beatCameThrough(redis, now(), took);
  }

  async #jobs(nth: number): Promise<NewJob[]> {
    const { dataKeys, subjectKey, now } = this.#deps;
    const createdAt = now();
    const sealer = await dataKeys.sealer(dayScope(createdAt));
    const input = { beat: new Secret(String(nth), "hidden") };
    const checked = { operation: HEARTBEAT, input, clientRefId: null, of: null, deadline: null };
    return JOBS.map((name) => {
      const terms = { isOwn: true, lane: "interactive", expiresInMs: MOST_MS, createdAt, actor: "worker" } as const;
      return newJob(subjectKey, sealer, checked, { ...terms, id: `beat-${nth}-${name}` });
    });
  }

  /** How long they took until all had succeeded, in ms; null: they did not in time. */
  async #through(jobs: readonly NewJob[]): Promise<number | null> {
    const { records, now } = this.#deps;
    const { signal } = this.#stop;
    const ids = jobs.map(({ id }) => id);
    const until = now() + MOST_MS;
    for (let waitMs = LOOK_MS; now() < until && !signal.aborted; waitMs = Math.min(2 * waitMs, LOOK_LAST_MS)) {
      await sleep(waitMs, undefined, { signal, ref: false }).catch(() => {});
      const stored = await records.fieldsOfMany(HEARTBEAT_QUEUE, ids);
      const seen = stored.map((fields, nth) => (fields === null ? null : parseRecord(ids[nth] ?? "", fields)));
      if (seen.some((record) => record === null || !isTerminal(record.state))) continue;
      if (seen.some((record) => record?.state !== "succeeded")) return null;
      const ends = seen.map((record) => Date.parse(record?.updated_at ?? "") - Date.parse(record?.created_at ?? ""));
      return Math.max(...ends);
    }
    return null;
  }

  /** What failed is for nobody to decide, and what is past its time goes. */
  async #tidy(): Promise<void> {
    const { redis, records, now } = this.#deps;
    const prefix = queuePrefix(HEARTBEAT_QUEUE);
    await redis.del(`${prefix}failed`, `${prefix}unknown`);
    while ((await records.reap(HEARTBEAT_QUEUE, now())).more) {
      // More is due.
    }
  }
}
