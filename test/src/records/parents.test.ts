import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordKey } from "../../../src/queues/names.ts";
import { packParent, PARENT_KINDS, parseParent } from "../../../src/records/parent.ts";
import { type ParentNews, ParentOutbox, parentsKey } from "../../../src/records/parent-outbox.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";
import { ending, QUEUE, settled, setup, T0, waiting } from "./journal-bundle.ts";

const PARENT = packParent({ kind: PARENT_KINDS.onboarding, of: "onb-1", part: "send" });
const KEPT = { lookAt: null, keepsInput: true } as const;

let redis: TestRedis;
beforeAll(async () => {
  redis = await startTestRedis();
});
afterAll(async () => await redis.stop());

/** A job with a parent, and what was told of it since the last look. */
async function setupChild(given: Parameters<typeof setup>[1] = {}) {
  const bundle = await setup(redis, { parent: PARENT, ...given });
  await bundle.client.del(parentsKey(QUEUE));
  const outbox = new ParentOutbox(bundle.client, QUEUE);
  const told = async (): Promise<string[]> => {
    const news = (await outbox.read(100, 1)) as ParentNews[];
    await outbox.remove(news);
    return news.map(({ id, state, parent }) => `${id === bundle.id ? "it" : id} ${state} ${packParent(parent)}`);
  };
  return { ...bundle, told };
}

describe("the parent of a job", () => {
  it.each(["succeeded", "rejected", "failed", "unknown"] as const)(
    "is told in the step that says %s",
    async (state) => {
      const { begin, finish, told } = await setupChild();
      const end = ending(await begin(T0 + 10), { state });
      expect(await told()).toEqual([]);
      await finish(T0 + 30, end);
      expect(await told()).toEqual([`it ${state} ${PARENT}`]);
      await finish(T0 + 30, end);
      expect(await told()).toEqual([]);
    },
  );

  it("is not told of a wait", async () => {
    const { begin, finish, told } = await setupChild();
    await finish(T0 + 30, ending(await begin(T0 + 10), waiting(T0 + 60_000, "pending", "pending")));
    expect(await told()).toEqual([]);
  });

  it("is told of an end at the deadline, whoever finds it", async () => {
    const taken = await setupChild({ expiresAt: T0 + 5 });
    expect((await taken.begin(T0 + 10)).kind).toBe("expired");
    expect(await taken.told()).toEqual([`it expired ${PARENT}`]);
    const left = await setupChild({ expiresAt: T0 + 5 });
    await left.store.reap(QUEUE, T0 + 10);
    expect(await left.told()).toEqual([`it expired ${PARENT}`]);
  });

  it("is told of one that is given up or parked", async () => {
    const { store, id, told } = await setupChild();
    await store.abandon(QUEUE, id, "failed", "given up", T0);
    expect(await told()).toEqual([`it failed ${PARENT}`]);
    await store.abandon(QUEUE, id, "failed", "given up", T0);
    expect(await told()).toEqual([]);
  });

  it("is told of what a person decides, also that it is sent once more, or tried again", async () => {
    const { begin, finish, store, id, told } = await setupChild();
    await finish(T0 + 30, ending(await begin(T0 + 10), { state: "unknown", retention: KEPT }));
    await store.settle(QUEUE, id, "queued", '{"at":1}', T0 + 40, KEPT, settled(id));
    await store.abandon(QUEUE, id, "failed", "given up", T0);
    await store.revive(QUEUE, id, '{"at":2}', T0 + 50, settled(id));
    await finish(T0 + 70, ending(await begin(T0 + 60), { state: "unknown", retention: KEPT }));
    await store.settle(QUEUE, id, "succeeded", '{"at":3}', T0 + 80, KEPT, settled(id));
    const states = ["unknown", "queued", "failed", "queued", "unknown", "succeeded"];
    expect(await told()).toEqual(states.map((state) => `it ${state} ${PARENT}`));
  });

  it("is told of the late truth, also where that is a wait", async () => {
    for (const truth of [{ state: "succeeded" } as const, waiting(T0 + 60_000, "pending", "pending")]) {
      const { begin, finish, told } = await setupChild();
      const start = await begin(T0 + 10);
      await finish(T0 + 30, ending(start, { state: "unknown", lost: true, retention: KEPT }));
      await finish(T0 + 40, ending(start, truth));
      expect(await told()).toEqual([`it unknown ${PARENT}`, `it ${truth.state} ${PARENT}`]);
    }
  });

  it("costs no outcome where something else stands in the outbox's place, and is told all the same", async () => {
    const { begin, finish, client, get, told } = await setupChild();
    const start = await begin(T0 + 10);
    await client.set(parentsKey(QUEUE), "something else");
    await finish(T0 + 30, ending(start));
    expect((await get())?.state).toBe("succeeded");
    expect(await told()).toEqual([`it succeeded ${PARENT}`]);
    expect(await client.get(parentsKey(QUEUE))).toBe("something else");
    await client.del(parentsKey(QUEUE));
  });

  it("is nobody where a record has none, as those of older versions", async () => {
    const { begin, finish, told, client, id } = await setupChild({ parent: null });
    await finish(T0 + 30, ending(await begin(T0 + 10)));
    expect(await told()).toEqual([]);
    expect(await client.hexists(recordKey(QUEUE, id), "parent")).toBe(0);
  });
});

describe("a parent's name", () => {
  it("is read as it was written, and nothing else is one", () => {
    const word = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/);
    const ref = fc.record({ kind: fc.constantFrom("o" as const, "b" as const, "c" as const), of: word, part: word });
    fc.assert(
      fc.property(ref, (given) => {
        expect(parseParent(packParent(given))).toEqual(given);
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(parseParent(text)).toBe(null);
      }),
    );
    expect(() => packParent({ kind: "b", of: "a b", part: "1" })).toThrow(TypeError);
  });
});
