import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { BatchStore } from "../../src/batches/batch-store.ts";
import { type Batch, type BatchView, viewOf } from "../../src/batches/batch.ts";
import { hasEnded } from "../../src/batches/batch-state.ts";
import { SeatStore } from "../../src/batches/seat-store.ts";
import { type Actor, checkActor } from "../base/actor.ts";
import { Patience, type PatienceOptions, unlessStopped } from "../base/patience.ts";
import { Codes } from "../onboardings/codes.ts";
import { readSender } from "./read-sender.ts";
import type { SeatDeps } from "./seat-deps.ts";
import { Talk, type Sender } from "./talk.ts";

/** What passes between two talks is borne as `PatienceOptions` say. */
export interface SeatOptions extends PatienceOptions {
  /** Who sits there, by that name in the audit log. Default: the client's own. */
  readonly operator?: string;
  /** Called whenever nobody is to be talked to, with how the batch stands. */
  readonly onWaiting?: (view: BatchView) => void;
  /** How long a sender is this seat's after it was heard of last, in ms. Default 30 s. */
  readonly seatMs?: number;
}

/** Between two looks for somebody to talk to, in ms. */
const LOOK_MS = 500;
/** A sender whose code is being checked, or was answered by another way, is not looked at before, in ms. */
const BUSY_MS = 1_000;

/**
 * The senders of a batch to talk to, one after the other, the one whose code is due first: each is this seat's until the next is asked
 * for, and goes back where nothing was decided. Ends with the batch.
 */
export async function* senders(deps: SeatDeps, batch: Batch, options: SeatOptions): AsyncGenerator<Sender, void> {
  const { connections, settings } = deps;
  const { operator, signal, onWaiting, seatMs } = options;
  const actor = operator === undefined ? deps.actor : named(deps.actor, operator);
  const codes = new Codes({ ...deps, actor });
  const patience = new Patience(options, actor.now);
  const borne = async <T>(work: () => Promise<T>): Promise<T | null> =>
    await unlessStopped(signal, async () => await patience.run(work));
  const handOver = async (): Promise<Talk | "busy" | null> => {
    const token = randomUUID();
    return await connections.use(async (opened) => {
      const seats = new SeatStore(opened.redis, seatMs);
      const row = await seats.next(batch, token, actor.now());
      if (row === null) return null;
      const sender = await readSender(opened, deps, batch, row);
      // Whoever left meanwhile is handed nobody: this goes on behind that.
      const isWanted = sender !== null && signal?.aborted !== true;
      if (isWanted) return new Talk({ ...deps, actor, codes, seats, batch, token, sender, signal });
      await seats.giveBack(batch, row, token, actor.now() + (sender === null ? BUSY_MS : 0));
      return "busy";
    });
  };
  const look = async (): Promise<BatchView | null> =>
    await connections.use(async ({ redis }) => {
      const now = await new BatchStore(redis, settings.retention).get(batch.queue, batch.id);
      return now === null ? null : viewOf(now, actor.now());
    });
  const isOver = (): boolean => signal?.aborted === true;
  while (!isOver()) {
    const talk = await borne(handOver);
    if (talk === "busy") continue;
    if (talk !== null) {
      try {
        yield talk;
      } finally {
        await talk.leave();
      }
      continue;
    }
    const view = await borne(look);
    if (view === null || (hasEnded(view.state) && view.ended_at !== null)) return;
    onWaiting?.(view);
    await sleep(LOOK_MS, undefined, signal && { signal }).catch(() => {});
  }
}

function named({ name, now }: Actor, operator: string): Actor {
  return { name: `${name.slice(0, name.indexOf(":"))}:${checkActor(operator)}`, now };
}
