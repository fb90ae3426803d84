import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { Chunks } from "../../src/batches/chunks.ts";
import { OpenInputs } from "../../src/batches/open-inputs.ts";
import { RowStore } from "../../src/batches/row-store.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import { parseInput } from "../../src/operations/entry-rules.ts";
import { subjectOf } from "../../src/operations/subject.ts";
import { DataKeyStore } from "../../src/privacy/keys/data-key-store.ts";
import { openKeyChain } from "../../src/privacy/keys/key-chain.ts";
import { batchRowsScope } from "../../src/privacy/sealing/data-key.ts";
import { JobQueues } from "../../src/queues/job-queues.ts";
import { queueOf, type QueueName } from "../../src/queues/names.ts";
import type { NewJob } from "../../src/records/stored-job.ts";
import { BatchBundle } from "../support/batch-bundle.ts";
import { startClientBundle } from "../support/client.ts";
import { FeederBatch } from "../../workers/feeder-batch.ts";
import { JobRows } from "../../workers/job-rows.ts";

const EKO = queueOf("eko");
/** Those of one chunk are opened for a second (`OpenInputs`). */
const SECOND = 1_000;

/** A batch of which one row is left out, and who hands its rows over. */
async function startTaking(rows: number, mobileOf = (row: number): string => madeUpMobile(row, "000")) {
  const bundle = await startClientBundle();
  const { settings, redis } = bundle;
  const batches = new BatchBundle(redis, settings);
  const { store, repairs } = batches;
  const client = redis.client();
  // Keys of its own, as another process has them.
  const { dataKeys } = openKeyChain(client, settings, Date.now);
  await dataKeys.listen(redis.client());
  const { id } = await batches.submit(
    batches.rows(rows, mobileOf).map((row) => (row.row === rows ? { ...row, state: "skipped" } : row)),
  );
  const chunks = new Chunks(client, dataKeys);
  const clock = { now: Date.now() };
  let opened = 0;
  const inputs = new OpenInputs(
    {
      open: async (...which) => {
        opened += 1;
        return await chunks.open(...which);
      },
      stillOpens: async (chunk) => await chunks.stillOpens(chunk),
    },
    () => clock.now,
  );
  const queued: NewJob[] = [];
  const packed: (number | null)[] = [];
  const taking = new JobRows({
    ...{ queue: EKO, store, inputs, dataKeys, subjectKey: settings.subjectKey, now: () => clock.now },
    ...{ records: bundle.records, rows: new RowStore(client, settings.retention) },
    packer: {
      pack: async (_queue: QueueName, jobs: readonly NewJob[], most?: number) => {
        packed.push(most ?? null);
        return await Promise.resolve([...jobs]);
      },
      enqueue: async (_queue: QueueName, jobs: readonly NewJob[]) => {
        queued.push(...jobs);
        await Promise.resolve();
      },
    },
    queues: new JobQueues(client, Date.now),
  });
  const hand = new FeederBatch(await batches.get(id));
  /** As the feeder does with a batch that it has not seen, or whose rows came back mended. */
  const load = async (): Promise<void> => hand.load(await store.states(EKO, id), await repairs.reruns(EKO, id));
  await load();
  const epoch = await store.nextEpoch(EKO);
  return {
    ...{ bundle, batches, id, hand, load, inputs, taking, clock, queued, mobileOf },
    take: async (most: number, together = 64) => await taking.take(hand, epoch, most, together),
    packed: (): readonly (number | null)[] => packed,
    opened: (): number => opened,
    subjects: (): (string | null)[] => queued.map(({ subject }) => subject),
    subjectOf: (mobile: string): string | null => {
      const operation = findOperation("eko.mobile-otp");
      const raw = { mobile, csp_id: "9000000001" };
      const input = parseInput(operation, raw, { now: Date.now(), aadhaarChecksum: false });
      return subjectOf(settings.subjectKey, operation, input);
    },
    [Symbol.asyncDispose]: async () => await bundle[Symbol.asyncDispose](),
  };
}

describe("rows that are handed over a few at a time", () => {
  it("have their chunk opened once for all that go within a second", async () => {
    await using rows = await startTaking(41);
    for (let step = 1; step <= 6; step += 1) {
      expect((await rows.take(5)).queued.size).toBe(5);
      rows.clock.now += SECOND / 10;
    }
    expect(rows.opened()).toBe(1);
    rows.clock.now += SECOND;
    expect((await rows.take(10)).queued.size).toBe(10);
    expect(rows.opened()).toBe(2);
    expect(rows.subjects()).toEqual(Array.from({ length: 40 }, (_, index) => rows.subjectOf(rows.mobileOf(index + 1))));
  });

  it("share no larger tickets than the feeder wishes", async () => {
    await using rows = await startTaking(20);
    await rows.take(5, 3);
    expect(rows.packed()).toEqual([3]);
  });

  it("show nobody's number meanwhile", async () => {
    await using rows = await startTaking(20);
    expect((await rows.take(5)).queued.size).toBe(5);
    const held = [rows.hand, rows.inputs, rows.taking].map((one) =>
      inspect(one, { depth: Infinity, maxArrayLength: Infinity, showHidden: true }),
    );
    const mobiles = Array.from({ length: 20 }, (_, index) => rows.mobileOf(index + 1));
    expect(mobiles.filter((mobile) => held.some((text) => text.includes(mobile)))).toEqual([]);
  });

  it("end as shredded when the key of their batch is destroyed in between, by another process", async () => {
    await using rows = await startTaking(20);
    expect((await rows.take(5)).queued.size).toBe(5);
    const redis = rows.bundle.redis.client();
    const { dataKeys } = await new DataKeyStore(redis).list();
    const ids = dataKeys.filter(({ scope }) => scope === batchRowsScope(rows.id)).map((key) => key.id);
    const heard = redis.duplicate();
    const told = new Promise<void>((resolve) => void heard.on("message", () => resolve()));
    expect(ids).toHaveLength(1);
    await heard.subscribe("satyapan:data-keys");
    await rows.bundle.dataKeys.destroy(ids);
    await told;
    heard.disconnect();
    const { queued, ended } = await rows.take(5);
    expect(queued.size).toBe(0);
    expect([...ended.values()].map(({ state, kept }) => [state, kept?.code])).toEqual(
      Array.from({ length: 5 }, () => ["failed", "shredded"]),
    );
  });

  it("go with what was mended in between", async () => {
    await using rows = await startTaking(12);
    expect((await rows.take(5)).queued.size).toBe(5);
    const [mended] = rows.batches.rows(1, () => madeUpMobile(900, "000"));
    if (mended === undefined) throw new Error("there is no row");
    await rows.bundle.client.batches.repairChecked(rows.id, [{ ...mended, row: 12, repaired: 0 }]);
    await rows.load();
    expect((await rows.take(10)).queued.size).toBe(7);
    expect(rows.subjects().at(-1)).toBe(rows.subjectOf(madeUpMobile(900, "000")));
    expect(rows.opened()).toBe(2);
  });
});
