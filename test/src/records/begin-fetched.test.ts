import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bullmqPrefix } from "../../../src/queues/names.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { QUEUE, setup, T0 } from "./journal-bundle.ts";

const ACTIVE = `${bullmqPrefix(QUEUE)}active`;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

/** One recorded job, and entries that BullMQ's fetches have put into hand. */
async function newFetches() {
  const bundle = await setup(redis);
  const { client, journal } = bundle;
  await client.del(ACTIVE);
  /** As a fetch leaves it: newest first, its lock the token. */
  const fetched = async (entry: string, token: string): Promise<void> => {
    await client.set(`${bullmqPrefix(QUEUE)}${entry}:lock`, token);
    await client.lpush(ACTIVE, entry);
  };
  const begin = async (token: string) => await journal.beginFetched(token, "fresh-1", T0 + 10);
  return { ...bundle, fetched, beginFetched: begin };
}

describe("the beginning of what a fetch brings", () => {
  it("opens the attempt of the job that has the fetch's token, whatever was fetched by others since", async () => {
    const { id, fetched, beginFetched, get } = await newFetches();
    await fetched(`j-${id}`, "mine:1");
    await fetched("j-other", "other:1");
    await fetched("t-2b-other", "other:2");
    expect(await beginFetched("mine:1")).toMatchObject({
      brought: { id, start: { kind: "run", clientRefId: `${id}01`, dueAt: T0 } },
      others: [],
    });
    expect(await get()).toMatchObject({ state: "active", attempts: [{ n: 1, outcome: null }] });
  });

  it("is of the newest entry with that token: the fetch was sent again, as its answer was cut off, and brought another", async () => {
    const { id, fetched, beginFetched, get } = await newFetches();
    await fetched("j-first", "mine:1");
    await fetched(`j-${id}`, "mine:1");
    expect(await beginFetched("mine:1")).toMatchObject({ brought: { id, start: { kind: "run" } } });
    expect(await get()).toMatchObject({ state: "active", attempts: [{ n: 1 }] });
  });

  it("shares its opener with no attempt that is begun as ever", async () => {
    const { id, fetched, beginFetched, journal, begin } = await newFetches();
    await fetched(`j-${id}`, "mine:1");
    await beginFetched("mine:1");
    const opener = journal.openerAt(T0 + 10, true);
    expect(opener).not.toBe(journal.openerAt(T0 + 10));
    expect(await begin(T0 + 10)).toMatchObject({ kind: "open", attemptToken: `1 ${opener}` });
    expect([opener, journal.openerAt(T0 + 10), "otherone1"].map((one) => journal.isOwn(one))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it.each([
    ["brought nothing", null],
    ["brought a ticket", "t-2b-0mvn"],
    ["brought another tool's entry", "17"],
  ])("brings nothing, and touches no record, where the fetch %s", async (_what, entry) => {
    const { id, fetched, beginFetched, get } = await newFetches();
    await fetched(`j-${id}`, "other:1");
    if (entry !== null) await fetched(entry, "mine:1");
    expect(await beginFetched("mine:1")).toEqual({ brought: null, others: [] });
    expect(await get()).toMatchObject({ state: "queued", attempts: [] });
  });
});
