import { setTimeout as sleep } from "node:timers/promises";
import type { Batch } from "../src/batches/batch.ts";
import { BatchStore } from "../src/batches/batch-store.ts";
import { BATCH_OPENED, endOf, goesOn, hasEnded, stopReason } from "../src/batches/batch-state.ts";
import { Chunks } from "../src/batches/chunks.ts";
import { FencedError } from "../src/batches/fenced.ts";
import { OpenInputs } from "../src/batches/open-inputs.ts";
import { askAgain, type Rerun } from "../src/batches/rerun.ts";
import { RepairStore } from "../src/batches/repair-store.ts";
import { noRecord, type RowSight } from "../src/batches/row-end.ts";
import { isAir } from "../src/batches/row-state.ts";
import { RowStore } from "../src/batches/row-store.ts";
import { FairShare } from "../src/batches/share.ts";
import { freePlaces, newRate, rowsToTake } from "../src/batches/window.ts";
import { OnboardingStore } from "../src/flows/onboarding-store.ts";
import type { DataKeys } from "../src/privacy/keys/data-keys.ts";
import type { JobQueues } from "../src/queues/job-queues.ts";
import type { QueueName } from "../src/queues/names.ts";
import type { ParentNews } from "../src/records/parent-outbox.ts";
import type { TicketPacker } from "../src/records/ticket-packer.ts";
import { RecordStore } from "../src/records/record-store.ts";
import type { RetentionTimes } from "../src/records/settings.ts";
import type { RedisClient } from "../src/redis/connection.ts";
import type { Duty } from "../src/redis/lease.ts";
import { isPassingRefusal } from "../src/redis/refusal.ts";
import type { Secret } from "../src/secrets/secret.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { Metrics } from "../src/telemetry/metrics.ts";
import { FeederBatch } from "./feeder-batch.ts";
import { countRows } from "./feeder-count.ts";
import { foldRows } from "./feeder-fold.ts";
import { LateNews } from "./feeder-news.ts";
import { obstacleOf } from "./feeder-obstacle.ts";
import { JobRows } from "./job-rows.ts";
import { OnboardingRows } from "./onboarding-rows.ts";
import type { RowRuns } from "./row-runs.ts";

export interface FeederDeps {
  readonly queue: QueueName;
  /** A connection of the client's role: it fails fast. */
  readonly redis: RedisClient;
  readonly queues: Pick<JobQueues, "add" | "entriesGone">;
  readonly packer: Pick<TicketPacker, "pack" | "enqueue">;
  readonly duty: Duty;
  readonly dataKeys: DataKeys;
  readonly subjectKey: Secret;
  readonly retention: RetentionTimes;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** Redis' time, ms. */
  readonly now: () => number;
}

/**
 * Between two rounds, in ms: while rows end or are handed over; while some are in the air; while batches are open; with none, of which
 * the first is told.
 */
const BUSY_MS = 20;
const AIR_MS = 100;
const OPEN_MS = 250;
const IDLE_MS = 10_000;
/** A row that is put away is looked at this often, in ms; and one that waits for a person, of which news come. */
const AWAY_MS = 1_000;
const AWAITED_MS = 5_000;
/** Every open batch is counted anew this often, in ms. */
const COUNT_MS = 60_000;
/** The times over which rates are taken, ms: what people are shown is steady, what the queue is to hold follows at once. */
const SHOWN_OVER_MS = 5_000;
const FED_OVER_MS = 500;
/** Rows in the air of one queue, at most: what is put away is held in memory. */
const MOST_AIR = 20_000;

/**
 * Hands the rows of one queue's batches over, a bounded number at a time and each batch its share, and writes down what became of
 * them. One worker does it for all; what it holds in memory can be read again by the next, and each step says whose it is.
 */
export class Feeder {
  readonly #deps: FeederDeps;
  readonly #store: BatchStore;
  readonly #repairs: RepairStore;
  readonly #rows: RowStore;
  readonly #runs: Readonly<Record<Batch["target"]["kind"], RowRuns>>;
  readonly #chunks: Chunks;
  readonly #inputs: OpenInputs;
  readonly #stop = new AbortController();
  /** Ends its rest. */
  #rest = new AbortController();
  readonly #running: Promise<void>;
  readonly #share = new FairShare();
  #batches = new Map<string, FeederBatch>();
  #epoch: number | null = null;
  readonly #news: LateNews;
  #rate = 0;
  #ratedAt = 0;
  #countAt = 0;
  /** When it was last done with a round, or began to feed; null: another feeds. */
  #roundAt: number | null = null;

  constructor(deps: FeederDeps) {
    this.#deps = deps;
    this.#store = new BatchStore(deps.redis, deps.retention);
    this.#repairs = new RepairStore(deps.redis);
    this.#rows = new RowStore(deps.redis, deps.retention);
    this.#chunks = new Chunks(deps.redis, deps.dataKeys);
    this.#inputs = new OpenInputs(this.#chunks, deps.now);
    const running = { ...deps, store: this.#store, rows: this.#rows, inputs: this.#inputs };
    const records = new RecordStore(deps.redis, deps.retention);
    const onboardings = new OnboardingStore(deps.redis, deps.retention);
    this.#runs = {
      operation: new JobRows({ ...running, records }),
      flow: new OnboardingRows({ ...running, records, onboardings }),
    };
    this.#news = new LateNews(this.#store, deps.queue, () => this.#rest.abort());
    deps.metrics.batches.begin(deps.queue);
    this.#running = this.#run();
  }

  /** Time since its last whole round, in ms; null: another feeds. */
  get lagMs(): number | null {
    return this.#roundAt === null ? null : Math.max(0, this.#deps.now() - this.#roundAt);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#rest.abort();
    await this.#running;
    this.#inputs.closeAll();
    this.#news.refuse(new FencedError("this feeder was closed"));
  }

  /** What jobs say of themselves: resolves when what that changes is written, and rejects where this feeder cannot. */
  async told(news: readonly ParentNews[]): Promise<void> {
    const ofRows = news.filter(({ state }) => state !== BATCH_OPENED);
    if (ofRows.length < news.length) this.#rest.abort();
    for (const { parent } of ofRows) {
      const air = this.#batches.get(parent.of)?.air.get(Number(parent.part));
      if (air !== undefined) air.lookAt = 0;
    }
    await this.#news.told(ofRows);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let waitMs = 0; !signal.aborted; waitMs = await this.#step()) {
      // One signal alone: those made of several stay with the one that lives on.
      await sleep(waitMs, undefined, { signal: this.#rest.signal, ref: false }).catch(() => {});
      // What is told from here on, during a round, ends the rest after that.
      if (this.#rest.signal.aborted) this.#rest = new AbortController();
    }
  }

  /** The time until the next round, in ms. */
  async #step(): Promise<number> {
    const { duty, logger, queue } = this.#deps;
    this.#inputs.closeOld();
    if (!duty.held || this.#stop.signal.aborted) {
      this.#epoch = null;
      this.#inputs.closeAll();
      this.#roundAt = null;
      this.#news.refuse(new FencedError("this feeder is not the one that works"));
      return AIR_MS;
    }
    this.#roundAt ??= this.#deps.now();
    try {
      const waitMs = await this.#round();
      this.#roundAt = this.#deps.now();
      return waitMs;
    } catch (err) {
      // Read anew: an answer that was lost may have been obeyed.
      this.#epoch = null;
      this.#news.refuse(err instanceof Error ? err : new Error("the feeder's round failed"));
      if (err instanceof FencedError)
        logger.rarely.warn({ queue }, "another feeder works; this one begins anew if it is its turn");
      else if (isPassingRefusal(err)) logger.rarely.warn({ err, queue }, "feeder's round failed: Redis refused it");
      else logger.rarely.error({ err, queue }, "feeder's round failed by a fault of our own");
      return OPEN_MS;
    }
  }

  async #round(): Promise<number> {
    const { queue, now } = this.#deps;
    const ids = await this.#store.open(queue);
    if (ids.length === 0 && this.#news.isEmpty) {
      this.#forgetAll();
      return IDLE_MS;
    }
    this.#epoch ??= await this.#begin();
    await this.#read(ids, this.#epoch);
    await this.#lookAgain(this.#epoch);
    let moved = 0;
    for (const hand of this.#batches.values())
      moved += await this.#unhindered(hand, this.#epoch, async (epoch) => await this.#lookAfter(hand, epoch));
    await this.#mend();
    moved += await this.#hand(this.#epoch);
    this.#newRates(now());
    if (now() >= this.#countAt) {
      this.#countAt = now() + COUNT_MS;
      await countRows({ ...this.#deps, store: this.#store }, [...this.#batches.keys()]);
    }
    if (moved > 0) return BUSY_MS;
    return [...this.#batches.values()].some(({ air }) => air.size > 0) ? AIR_MS : OPEN_MS;
  }

  async #begin(): Promise<number> {
    this.#forgetAll();
    return await this.#store.nextEpoch(this.#deps.queue);
  }

  #forgetAll(): void {
    this.#batches = new Map();
    this.#inputs.closeAll();
    this.#countAt = 0;
    this.#epoch = null;
  }

  /** The open batches as they are now; those that are new here with their rows. */
  async #read(ids: readonly string[], epoch: number): Promise<void> {
    const { queue, now } = this.#deps;
    const known = new Map<string, FeederBatch>();
    for (const [index, batch] of (await this.#store.getMany(queue, ids)).entries()) {
      const id = ids[index] ?? "";
      if (batch === null) {
        await this.#store.close({ queue, id }, epoch, "cancelled", now());
        continue;
      }
      let hand = this.#batches.get(id);
      if (hand?.batch.repairs !== batch.repairs) {
        hand ??= new FeederBatch(batch);
        hand.load(await this.#store.states(queue, id), await this.#repairs.reruns(queue, id));
      }
      hand.batch = batch;
      known.set(id, hand);
    }
    this.#batches = known;
  }

  /** What became of its rows, and what follows from that. How many moved. */
  async #lookAfter(hand: FeederBatch, epoch: number): Promise<number> {
    const { now } = this.#deps;
    let moved = 0;
    const runs = this.#runsOf(hand.batch);
    if (takesBack(hand.batch)) moved += await runs.takeBack(hand, epoch);
    const due = [...hand.air.values()].filter(({ lookAt }) => lookAt <= now());
    const seen = await runs.see(
      hand,
      due.map(({ row }) => row),
    );
    const sights = new Map<number, RowSight>();
    const again = new Map<number, Rerun>();
    for (const [index, air] of due.entries()) {
      const sight = seen[index] ?? noRecord();
      if (sight.isAway) air.lookAt = now() + (sight.state === "awaiting_otp" ? AWAITED_MS : AWAY_MS);
      air.isAway = sight.isAway;
      air.ticket = sight.ticket;
      if (sight.state !== air.state) sights.set(air.row, sight);
      const rerun = sight.isUnanswered === true ? this.#askAgain(hand, air.row) : null;
      if (rerun !== null) again.set(air.row, rerun);
      if (sight.state !== "queued") air.queuedAt = now();
    }
    if (sights.size > 0 && !(await foldRows(this.#fold, hand, epoch, sights, again))) return 1;
    moved += sights.size;
    return moved + (await this.#decide(hand, epoch));
  }

  /** Nobody is asked again for a batch that was cancelled. */
  #askAgain({ batch, reruns }: FeederBatch, row: number): Rerun | null {
    return batch.state === "cancelled" ? null : askAgain(row, reruns.get(row), batch.resends);
  }

  /** Rows that had ended and tell something else now: also of batches that are over. */
  async #lookAgain(epoch: number): Promise<void> {
    const { queue } = this.#deps;
    for (let first = this.#news.first; first !== null; first = this.#news.first) {
      const { id, rows } = first;
      const batch = this.#batches.get(id)?.batch ?? (await this.#store.get(queue, id));
      const hand = this.#batches.get(id) ?? (batch === null ? null : await this.#overBatch(batch));
      if (hand !== null) {
        const seen = await this.#runsOf(hand.batch).see(hand, rows);
        const sights = rows.flatMap((row, index) => {
          const sight = seen[index] ?? null;
          // Its record went with its time: how the row ended stands.
          return sight === null ? [] : [[row, sight] as const];
        });
        if (await foldRows(this.#fold, hand, epoch, new Map(sights))) await this.#reopen(hand, epoch, sights);
      }
      this.#news.written();
    }
  }

  /** One that nobody looks after any more. */
  async #overBatch(batch: Batch): Promise<FeederBatch> {
    const hand = new FeederBatch(batch);
    hand.reruns = new Map(await this.#repairs.reruns(batch.queue, batch.id));
    return hand;
  }

  /** A row that goes on is in the air again, and so its batch has to be looked after; an end may change how the batch ended. */
  async #reopen(hand: FeederBatch, epoch: number, sights: readonly (readonly [number, RowSight])[]): Promise<void> {
    const { now } = this.#deps;
    const { batch } = hand;
    for (const [row, { state, isAway, ticket }] of sights)
      if (isAir(state)) hand.put(row, state, { isAway, ticket, queuedAt: now() });
    if (hasEnded(batch.state)) await this.#store.reopen(batch, epoch);
  }

  /** Whether the batch stops by itself, or is over. */
  async #decide(hand: FeederBatch, epoch: number): Promise<number> {
    const { batch, air } = hand;
    const { now, logger } = this.#deps;
    const { state, counts, since, stopAt, id } = batch;
    if (state === "running") {
      const reason = stopReason(counts, since, stopAt);
      if (reason !== null) {
        const answer = await this.#store.change(batch, { from: state, to: "stopped", reason }, now(), { epoch });
        if (answer === "done") {
          hand.batch = { ...batch, state: "stopped", reason };
          logger.warn({ batch: id, reason }, "batch stopped by itself");
        }
        return 1;
      }
    }
    const end = endOf(counts);
    if (end === null || air.size > 0) return 0;
    const answer = await this.#store.close(batch, epoch, state === "cancelled" ? "cancelled" : end, now());
    if (answer === "open") return 0;
    this.#batches.delete(id);
    logger.info({ batch: id, state: state === "cancelled" ? state : end, counts }, "batch ended");
    return 1;
  }

  /** Each batch hands over its share of the free places. How many rows were. */
  async #hand(epoch: number): Promise<number> {
    const { queue } = this.#deps;
    const hands = [...this.#batches.values()];
    const queued = hands.reduce((sum, hand) => sum + hand.queued, 0);
    const inAir = hands.reduce((sum, { air }) => sum + air.size, 0);
    const places = Math.min(freePlaces(queued, this.#rate), MOST_AIR - inAir);
    const claimants = hands
      .filter(({ batch: { state } }) => goesOn(state))
      .map(({ batch }) => ({ ...batch, rows: rowsToTake(batch) }));
    if (places <= 0 || claimants.every(({ rows }) => rows === 0)) return 0;
    const tenants = await this.#store.tenantWeights(queue);
    let moved = 0;
    for (const [id, share] of this.#share.divide(places, claimants, tenants)) {
      const hand = this.#batches.get(id);
      if (hand === undefined) continue;
      moved += await this.#unhindered(hand, epoch, async () => await this.#take(hand, epoch, share));
    }
    return moved;
  }

  /** Its next rows, as many as its share is. How many moved. */
  async #take(hand: FeederBatch, epoch: number, share: number): Promise<number> {
    const { queue, now, metrics } = this.#deps;
    let moved = 0;
    while (moved < share) {
      const { queued, ended, isOver } = await this.#runsOf(hand.batch).take(hand, epoch, share - moved);
      for (const [row, ticket] of queued) hand.put(row, "queued", { isAway: false, ticket, queuedAt: now() });
      if (ended.size > 0) await foldRows(this.#fold, hand, epoch, ended);
      metrics.batches.fed(queue, queued.size);
      moved += queued.size + ended.size;
      if (isOver || queued.size + ended.size === 0) break;
    }
    return moved;
  }

  /** What this worker lacks for one batch holds back no other: it is said of that one. How many rows moved. */
  async #unhindered(hand: FeederBatch, epoch: number, work: (epoch: number) => Promise<number>): Promise<number> {
    const { logger } = this.#deps;
    const { id: batch } = hand.batch;
    try {
      const moved = await work(epoch);
      if (moved > 0 && hand.obstacle !== null) {
        await this.#store.hinder(hand.batch, epoch, null);
        hand.obstacle = null;
      }
      return moved;
    } catch (err) {
      const obstacle = obstacleOf(err);
      if (obstacle === null) throw err;
      logger.rarely.error({ err, batch }, "batch stands: this worker lacks what it takes");
      if (obstacle !== hand.obstacle) await this.#store.hinder(hand.batch, epoch, obstacle);
      hand.obstacle = obstacle;
      return 0;
    }
  }

  async #mend(): Promise<void> {
    const byKind = Map.groupBy(this.#batches.values(), ({ batch }) => batch.target.kind);
    for (const [kind, hands] of byKind) await this.#runs[kind].mend(hands);
  }

  #newRates(now: number): void {
    const ms = now - this.#ratedAt;
    if (ms < AIR_MS) return;
    let ended = 0;
    for (const hand of this.#batches.values()) {
      hand.rate = this.#ratedAt === 0 ? hand.rate : newRate(hand.rate, hand.endedSince, ms, SHOWN_OVER_MS);
      ended += hand.endedSince;
      hand.endedSince = 0;
    }
    if (this.#ratedAt > 0) this.#rate = newRate(this.#rate, ended, ms, FED_OVER_MS);
    this.#ratedAt = now;
  }

  #runsOf({ target }: Batch): RowRuns {
    return this.#runs[target.kind];
  }

  get #fold() {
    return { rows: this.#rows, chunks: this.#chunks, metrics: this.#deps.metrics, now: this.#deps.now };
  }
}

/** Not once it is over: a row that goes on then was decided by a person. */
function takesBack({ state, endedAt }: Batch): boolean {
  return state === "paused" || state === "stopped" || (state === "cancelled" && endedAt === null);
}
