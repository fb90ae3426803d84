import { expect } from "vitest";
import type { BatchRow } from "../../src/batches/batch-row.ts";
import { BatchStore } from "../../src/batches/batch-store.ts";
import { type Batch, type BatchView, viewOf } from "../../src/batches/batch.ts";
import { hasEnded } from "../../src/batches/batch-state.ts";
import { Chunks } from "../../src/batches/chunks.ts";
import { RepairStore } from "../../src/batches/repair-store.ts";
import { readResults } from "../../src/batches/read-results.ts";
import type { RowResult } from "../../src/batches/row-result.ts";
import { type RowState, totalOf } from "../../src/batches/row-state.ts";
import { BatchIntake } from "../../producers/batches/batch-intake.ts";
import { batchTerms, type BatchWishes } from "../../producers/batches/batch-terms.ts";
import type { UseRedis } from "../../producers/base/client-connections.ts";
import { findFlow } from "../../src/flows/flows.ts";
import type { Settings } from "../../src/config/settings.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import { parseInput } from "../../src/operations/entry-rules.ts";
import type { InputOwner, Operation } from "../../src/operations/operation.ts";
import { subjectOf } from "../../src/operations/subject.ts";
import { openKeyChain } from "../../src/privacy/keys/key-chain.ts";
import { QUEUES } from "../../src/queues/names.ts";
import { createIds } from "../../src/records/ids.ts";
import type { TestRedis } from "./redis.ts";

const ACTOR = { name: "library:test", now: Date.now };

/** Batches of one Redis, as a producer has them, without its connections. */
export class BatchBundle {
  readonly store: BatchStore;
  readonly repairs: RepairStore;
  readonly intake: BatchIntake;
  readonly #settings: Settings;
  readonly #chunks: Chunks;

  constructor(redis: TestRedis, settings: Settings) {
    const client = redis.client();
    this.#settings = settings;
    this.store = new BatchStore(client, settings.retention);
    this.repairs = new RepairStore(client);
    const { dataKeys } = openKeyChain(client, settings, Date.now);
    this.#chunks = new Chunks(client, dataKeys);
    // Only these two are asked for.
    const use = (async (work: (opened: unknown) => Promise<unknown>) =>
      await work({ redis: client, dataKeys })) as UseRedis;
    this.intake = new BatchIntake({ use, settings, ids: createIds(), actor: ACTOR });
  }

  /** Rows as a reader of files gives them, each for another person. */
  rows(count: number, mobileOf: (row: number) => string): BatchRow[] {
    return this.#rowsOf(findOperation("eko.mobile-otp"), count, (row) => ({
      mobile: mobileOf(row),
      csp_id: "9000000001",
    }));
  }

  /** Rows of a flow. */
  flowRows(flow: string, count: number, rawOf: (row: number) => Readonly<Record<string, unknown>>): BatchRow[] {
    return this.#rowsOf(findFlow(flow), count, rawOf);
  }

  #rowsOf(
    owner: InputOwner & Pick<Operation, "subject">,
    count: number,
    rawOf: (row: number) => Readonly<Record<string, unknown>>,
  ): BatchRow[] {
    return Array.from({ length: count }, (_, index): BatchRow => {
      const row = index + 1;
      const input = parseInput(owner, rawOf(row), { now: Date.now(), aadhaarChecksum: false });
      const subject = subjectOf(this.#settings.subjectKey, owner, input);
      const columns = "mobile" in input ? { "Mobile No": String(input["mobile"]) } : {};
      return { row, ref: `ref-${row}`, subject, input, columns, state: "waiting" };
    });
  }

  async submit(
    rows: readonly BatchRow[],
    options: BatchWishes & { readonly ownId?: string } & Partial<Readonly<Record<"operation" | "flow", string>>> = {},
  ): Promise<BatchView> {
    const { ownId = null, operation = "eko.mobile-otp", flow, ...wishes } = options;
    const runs = flow === undefined ? { operation } : { flow };
    return await this.intake.accept(batchTerms({ ...runs, name: "a file", ...wishes }, ACTOR), rows, { ownId });
  }

  /** Rows as they come. */
  async submitFrom(rows: AsyncIterable<BatchRow>): Promise<BatchView> {
    return await this.intake.accept(batchTerms({ operation: "eko.mobile-otp" }, ACTOR), rows, { ownId: null });
  }

  async get(id: string): Promise<Batch> {
    for (const queue of QUEUES) {
      const batch = await this.store.get(queue, id);
      if (batch !== null) return batch;
    }
    throw new Error(`there is no batch ${id}`);
  }

  async show(id: string): Promise<BatchView> {
    const view = viewOf(await this.get(id), Date.now());
    expect(totalOf(view.counts)).toBe(view.rows);
    return view;
  }

  async ended(id: string): Promise<BatchView> {
    await expect.poll(async () => hasEnded((await this.show(id)).state), { interval: 20 }).toBe(true);
    return await this.show(id);
  }

  async results(id: string, only?: readonly RowState[]): Promise<RowResult[]> {
    const deps = { repairs: this.repairs, chunks: this.#chunks };
    return await Array.fromAsync(readResults(deps, await this.get(id), only));
  }

  /** The counts are what the rows' states say. */
  async recount(id: string): Promise<void> {
    const audit = await this.store.audit((await this.get(id)).queue, id);
    expect(audit).not.toBeNull();
    expect(audit?.counts).toEqual(audit?.bytes);
    expect(audit?.foreign).toBe(0);
  }
}
