import type { BatchStore } from "../src/batches/batch-store.ts";
import { isEnd, type RowState, rowStateOf } from "../src/batches/row-state.ts";
import type { QueueName } from "../src/queues/names.ts";
import type { ParentNews } from "../src/records/parent-outbox.ts";

/** Rows of a batch that tell something else than how they ended. */
interface Told {
  readonly id: string;
  readonly rows: readonly number[];
  readonly written: PromiseWithResolvers<void>;
}

/**
 * What jobs say after their rows had ended: a late truth, a person's decision, another try. Rows in the air are looked at anyhow. Whoever
 * brings it waits until it is written.
 */
export class LateNews {
  readonly #store: Pick<BatchStore, "statesOf">;
  readonly #queue: QueueName;
  readonly #onTold: () => void;
  readonly #told: Told[] = [];

  /** `onTold`: there is something to be written. */
  constructor(store: Pick<BatchStore, "statesOf">, queue: QueueName, onTold: () => void) {
    this.#store = store;
    this.#queue = queue;
    this.#onTold = onTold;
  }

  get isEmpty(): boolean {
    return this.#told.length === 0;
  }

  /** The oldest that is not written; null: none. */
  get first(): Pick<Told, "id" | "rows"> | null {
    return this.#told[0] ?? null;
  }

  /** Resolves when all that it changes is written; rejects with the reason of `refuse`. */
  async told(news: readonly ParentNews[]): Promise<void> {
    const changed: Promise<void>[] = [];
    for (const [id, ofBatch] of Map.groupBy(news, ({ parent }) => parent.of)) {
      const rows = await this.#changed(id, ofBatch);
      if (rows.length === 0) continue;
      const written = Promise.withResolvers<void>();
      this.#told.push({ id, rows, written });
      changed.push(written.promise);
      this.#onTold();
    }
    await Promise.all(changed);
  }

  /** The first is. */
  written(): void {
    this.#told.shift()?.written.resolve();
  }

  /** The first cannot be: whoever brought it keeps it for people. */
  refuseFirst(error: Error): void {
    this.#told.shift()?.written.reject(error);
  }

  /** None of it can be written here and now. */
  refuse(error: Error): void {
    for (const { written } of this.#told.splice(0)) written.reject(error);
  }

  /** The rows whose ends are not what is told of them now. */
  async #changed(id: string, news: readonly ParentNews[]): Promise<number[]> {
    const states = await this.#store.statesOf(
      this.#queue,
      id,
      news.map(({ parent }) => Number(parent.part)),
    );
    return news.flatMap(({ state, parent }, index) => {
      const stands = rowStateOf(states[index] ?? "");
      if (stands === undefined || !isEnd(stands) || stands === state || isStale(stands, state)) return [];
      return [Number(parent.part)];
    });
  }
}

/** An onboarding that came to such an end had gone on before: that is only told late. */
function isStale(stands: RowState, told: string): boolean {
  const mayGoOn = stands === "unknown" || stands === "failed";
  return !mayGoOn && (told === "running" || told === "awaiting_otp");
}
