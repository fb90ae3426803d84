import { setTimeout as sleep } from "node:timers/promises";
import { BATCH_OPENED } from "../src/batches/batch-state.ts";
import { FencedError } from "../src/batches/fenced.ts";
import type { ParentNews } from "../src/records/parent-outbox.ts";
import { isPassingRefusal } from "../src/redis/refusal.ts";
import { HandingOver } from "./feeder-hand.ts";
import { lookAgain } from "./feeder-late.ts";
import { lookAfter } from "./feeder-look.ts";
import { LateNews } from "./feeder-news.ts";
import { unhindered } from "./feeder-obstacle.ts";
import { type FeederDeps, feederParts, type FeederParts } from "./feeder-parts.ts";
import { FeederRates } from "./feeder-rates.ts";

/**
 * Between two rounds, in ms: while rows end or are handed over; while some are in the air; while batches are open; with none, of which
 * the first is told.
 */
const BUSY_MS = 20;
const AIR_MS = 100;
const OPEN_MS = 250;
const IDLE_MS = 10_000;

/**
 * Hands the rows of one queue's batches over, a bounded number at a time and each batch its share, and writes down what became of
 * them. One worker does it for all; what it holds in memory can be read again by the next, and each step says whose it is.
 */
export class Feeder {
  readonly #deps: FeederDeps;
  readonly #parts: FeederParts;
  readonly #handing: HandingOver;
  readonly #rates = new FeederRates();
  readonly #stop = new AbortController();
  /** Ends its rest. */
  #rest = new AbortController();
  readonly #running: Promise<void>;
  #epoch: number | null = null;
  readonly #news: LateNews;
  /** When it was last done with a round, or began to feed; null: another feeds. */
  #roundAt: number | null = null;

  constructor(deps: FeederDeps) {
    this.#deps = deps;
    this.#parts = feederParts(deps);
    this.#handing = new HandingOver(this.#parts);
    this.#news = new LateNews(this.#parts.store, deps.queue, () => this.#rest.abort());
    deps.metrics.batches.begin(deps.queue);
    this.#running = this.#run();
  }

  /** Time since its last whole round, in ms; null: another feeds. */
  get lagMs(): number | null {
    return this.#roundAt === null ? null : Math.max(0, this.#deps.now() - this.#roundAt);
  }

  /** Rows that are not in the state they are counted in; null: another feeds. */
  get rowsOff(): number | null {
    return this.#roundAt === null ? null : this.#parts.counting.off;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.#rest.abort();
    await this.#running;
    this.#parts.inputs.closeAll();
    this.#news.refuse(new FencedError("this feeder was closed"));
  }

  /** What jobs say of themselves: resolves when what that changes is written, and rejects where this feeder cannot. */
  async told(news: readonly ParentNews[]): Promise<void> {
    const ofRows = news.filter(({ state }) => state !== BATCH_OPENED);
    if (ofRows.length < news.length) this.#rest.abort();
    for (const { parent } of ofRows) {
      const air = this.#parts.batches.get(parent.of)?.air.get(Number(parent.part));
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
    this.#parts.inputs.closeOld();
    if (!duty.held || this.#stop.signal.aborted) {
      this.#epoch = null;
      this.#parts.inputs.closeAll();
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
    const { store, batches, counting } = this.#parts;
    const ids = await store.open(queue);
    if (ids.length === 0 && this.#news.isEmpty) {
      this.#forgetAll();
      await counting.count([]);
      return IDLE_MS;
    }
    this.#epoch ??= await this.#begin();
    const epoch = this.#epoch;
    await batches.read(ids, epoch);
    await lookAgain(this.#parts, this.#news, epoch);
    let moved = 0;
    for (const hand of batches.all)
      moved += await unhindered(this.#parts, hand, epoch, async () => await lookAfter(this.#parts, hand, epoch));
    await this.#mend();
    moved += await this.#handing.hand(epoch, this.#rates.ofQueue);
    this.#rates.renew(batches.all, now());
    await counting.count(batches.all.map(({ batch }) => batch.id));
    if (moved > 0) return BUSY_MS;
    return batches.all.some(({ air }) => air.size > 0) ? AIR_MS : OPEN_MS;
  }

  async #begin(): Promise<number> {
    this.#forgetAll();
    return await this.#parts.store.nextEpoch(this.#deps.queue);
  }

  #forgetAll(): void {
    this.#parts.batches.forgetAll();
    this.#parts.inputs.closeAll();
    this.#epoch = null;
  }

  async #mend(): Promise<void> {
    const { batches, runs } = this.#parts;
    const byKind = Map.groupBy(batches.all, ({ batch }) => batch.target.kind);
    for (const [kind, hands] of byKind) await runs[kind].mend(hands);
  }
}
