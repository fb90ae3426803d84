import { expect, it } from "vitest";
import { bullmqPrefix, queueOf, recordKey } from "../../../src/queues/names.ts";
import { TicketLists } from "../../../src/queues/ticket-lists.ts";
import { waitingCauses } from "../../../src/records/waiting-causes.ts";
import { meanwhile } from "../../support/meanwhile.ts";
import { startTestRedis } from "../../support/redis.ts";

const QUEUE = queueOf("eko");

it("an entry that is put away waits for what its record says, and a ticket for what its first job does", async () => {
  await using redis = await startTestRedis();
  const client = redis.client();
  const record = async (id: string, fields: Record<string, string>): Promise<unknown> =>
    await client.hset(recordKey(QUEUE, id), fields);
  await record("a", { state: "waiting", cause: "pending" });
  await record("b", { state: "waiting", cause: "cooldown" });
  await record("c", { state: "queued" });
  await record("d", { state: "waiting", cause: "held" });
  await record("e", { state: "succeeded" });
  await new TicketLists(client, QUEUE).put(
    [
      { name: "t-2b-full", ids: ["b", "c"] },
      { name: "t-3b-gated", ids: ["d", "a", "c"] },
    ],
    1,
  );
  const entries = ["j-a", "t-2b-full", "j-c", "t-3b-gated", "j-e", "j-gone", "t-2b-gone", "foreign"];
  await client.zadd(`${bullmqPrefix(QUEUE)}delayed`, ...entries.flatMap((entry, nth) => [nth, entry]));
  expect(await waitingCauses(client, QUEUE)).toEqual(
    new Map([
      ["pending", 1],
      ["cooldown", 1],
      ["backoff", 1],
      ["held", 1],
      ["other", 4],
    ]),
  );
});

it("those that are put away do not stand for others that were taken since they were counted", async () => {
  await using redis = await startTestRedis();
  const client = redis.client();
  for (const id of ["a", "b"]) await client.hset(recordKey(QUEUE, id), { state: "waiting", cause: "cooldown" });
  const delayed = `${bullmqPrefix(QUEUE)}delayed`;
  await client.zadd(delayed, ...["j-a", "j-b", "j-c", "j-d"].flatMap((entry, nth) => [nth, entry]));
  await using beside = await meanwhile(redis, /zrange/, async (other) => await other.zrem(delayed, "j-c", "j-d"));
  expect(await waitingCauses(beside.client, QUEUE)).toEqual(new Map([["cooldown", 2]]));
});
