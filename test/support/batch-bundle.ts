import { expect } from "vitest";
import type { BatchRow } from "../../src/batches/batch-row.ts";
import { BatchStore } from "../../src/batches/batch-store.ts";
import { type BatchView, viewOf } from "../../src/batches/batch.ts";
import { hasEnded } from "../../src/batches/batch-state.ts";
import { Chunks } from "../../src/batches/chunks.ts";
import { readResults } from "../../src/batches/read-results.ts";
import type { RowResult } from "../../src/batches/row-result.ts";
import { type RowState, totalOf } from "../../src/batches/row-state.ts";
import { BatchIntake } from "../../producers/batches/batch-intake.ts";
import { batchTerms, type BatchOptions } from "../../producers/batches/batch-terms.ts";
import type { UseRedis } from "../../producers/base/client-connections.ts";
import type { Settings } from "../../src/config/settings.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import { parseInput } from "../../src/operations/entry-rules.ts";
import { subjectOf } from "../../src/operations/subject.ts";
import { openKeyChain } from "../../src/privacy/keys/key-chain.ts";
import { queueOf } from "../../src/queues/names.ts";
import { createIds } from "../../src/records/ids.ts";
import type { TestRedis } from "./redis.ts";

const EKO = queueOf("eko");
const ACTOR = { name: "library:test", now: Date.now };

/** Batches of one Redis, as a producer has them, without its connections. */
export class BatchBundle {
  readonly store: BatchStore;
  readonly intake: BatchIntake;
  readonly #settings: Settings;
  readonly #chunks: Chunks;

  constructor(redis: TestRedis, settings: Settings) {
    const client = redis.client();
    this.#settings = settings;
    this.store = new BatchStore(client, settings.retention);
    const { dataKeys } = openKeyChain(client, settings, Date.now);
    this.#chunks = new Chunks(client, dataKeys);
    // Only these two are asked for.
    const use = (async (work: (opened: unknown) => Promise<unknown>) =>
      await work({ redis: client, dataKeys })) as UseRedis;
    this.intake = new BatchIntake({ use, settings, ids: createIds(), actor: ACTOR });
  }

  /** Rows as a reader of files gives them, each for another person. */
  rows(count: number, mobileOf: (row: number) => string): BatchRow[] {
    const operation = findOperation("eko.mobile-otp");
    const { subjectKey } = this.#settings;
    return Array.from({ length: count }, (_, index): BatchRow => {
      const row = index + 1;
      const raw = { mobile: mobileOf(row), csp_id: "9000000001" };
      const input = parseInput(operation, raw, { now: Date.now(), aadhaarChecksum: false });
      const subject = subjectOf(subjectKey, operation, input);
      const columns = { "Mobile No": String(input["mobile"]) };
      return { row, ref: `ref-${row}`, subject, input, columns, state: "waiting" };
    });
  }

  async submit(
    rows: readonly BatchRow[],
    options: Partial<BatchOptions> & { readonly ownId?: string } = {},
  ): Promise<BatchView> {
    const { ownId = null, ...terms } = options;
    return await this.intake.accept(
      batchTerms({ operation: "eko.mobile-otp", name: "a file", ...terms }, ACTOR),
      rows,
      { ownId },
    );
  }

  /** Rows as they come. */
  async submitFrom(rows: AsyncIterable<BatchRow>): Promise<BatchView> {
    return await this.intake.accept(batchTerms({ operation: "eko.mobile-otp" }, ACTOR), rows, { ownId: null });
  }

  async show(id: string): Promise<BatchView> {
    const batch = await this.store.get(EKO, id);
    if (batch === null) throw new Error(`there is no batch ${id}`);
    const view = viewOf(batch, Date.now());
    expect(totalOf(view.counts)).toBe(view.rows);
    return view;
  }

  async ended(id: string, timeoutMs = 20_000): Promise<BatchView> {
    await expect
      .poll(async () => hasEnded((await this.show(id)).state), { timeout: timeoutMs, interval: 20 })
      .toBe(true);
    return await this.show(id);
  }

  async results(id: string, only?: readonly RowState[]): Promise<RowResult[]> {
    const batch = await this.store.get(EKO, id);
    if (batch === null) throw new Error(`there is no batch ${id}`);
    return await Array.fromAsync(readResults(this.store, this.#chunks, batch, only));
  }

  /** The counts are what the rows' states say. */
  async recount(id: string): Promise<void> {
    const audit = await this.store.audit(EKO, id);
    expect(audit).not.toBeNull();
    expect(audit?.counts).toEqual(audit?.bytes);
    expect(audit?.foreign).toBe(0);
  }
}
