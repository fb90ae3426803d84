import { describe, expect, it, vi } from "vitest";
import { DONE, type FollowUp } from "../../src/queues/follow-up.ts";
import type { TicketList } from "../../src/queues/ticket-lists.ts";
import { newTicket } from "../../src/queues/ticket.ts";
import { CallSlots } from "../../workers/call-slots.ts";
import { TicketRunner } from "../../workers/ticket-runner.ts";

const CLOSED_MS = 60_000;

/** A ticket of these jobs, and a runner whose jobs end as they are told to. */
function newRun(list: TicketList | readonly string[] | null, { slots = 64, size = 4, age = 0 } = {}) {
  const ticket = newTicket({ size, lane: "bulk", verify: false }, "1");
  /** What was done, in order. */
  const did: string[] = [];
  const ends = new Map<string, PromiseWithResolvers<FollowUp>>();
  const stop = new AbortController();
  let inHand = size;
  const words = ({ ids, isWhole }: TicketList): string => `${ids.join(",")}${isWhole ? "" : "?"}`;
  const runner = new TicketRunner({
    queue: "{eko-0}",
    lists: {
      read: async () => (Array.isArray(list) ? { ids: list, isWhole: true } : (list as TicketList | null)),
      keep: async (_name, kept) => void did.push(`keep ${words(kept)}`),
      end: async () => void did.push("end"),
      giveUp: async () => void did.push("give up"),
    },
    queues: { add: async (_queue, jobs) => void did.push(`add ${jobs.map((job) => "id" in job && job.id).join(",")}`) },
    runner: {
      run: async (id) => {
        did.push(`begin ${id}`);
        const end = Promise.withResolvers<FollowUp>();
        ends.set(id, end);
        return await end.promise;
      },
    },
    slots: new CallSlots(slots, 9),
    now: Date.now,
    stopping: stop.signal,
    onUnreadable: () => void did.push("unreadable"),
    onThrown: (err, id) => void did.push(`${id} threw ${err.message}`),
  });
  const settle = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));
  const run = runner.run(ticket, Date.now() - age, () => void (inHand -= 1));
  run.catch(() => {});
  const begun = (): string[] => did.flatMap((what) => (what.startsWith("begin ") ? [what.slice(6)] : []));
  const end = async (id: string, next: FollowUp | Error = DONE): Promise<void> => {
    await vi.waitFor(() => expect(begun()).toContain(id));
    if (next instanceof Error) ends.get(id)?.reject(next);
    else ends.get(id)?.resolve(next);
    await settle();
  };
  return { run, did, begun, end, settle, stop, inHand: () => inHand };
}

const closed = (ms = CLOSED_MS): FollowUp => ({ kind: "gate", until: Date.now() + ms });

describe("a ticket in hand", () => {
  it("begins all its jobs at once, tells of each that is done, and ends with the last", async () => {
    const { run, did, begun, end, inHand } = newRun(["a", "b", "c", "d"]);
    await end("c");
    expect(begun()).toEqual(["a", "b", "c", "d"]);
    expect(inHand()).toBe(3);
    for (const id of ["a", "b", "d"]) await end(id);
    expect(await run).toEqual(DONE);
    expect(did.slice(4)).toEqual(["end"]);
  });

  it("of which some were done before has no more in hand than are left", async () => {
    const { run, settle, end, inHand } = newRun(["d"], { size: 64 });
    await settle();
    expect(inHand()).toBe(1);
    await end("d");
    await run;
    expect(inHand()).toBe(0);
  });

  it("keeps what a closed gate left of it, untouched and in order", async () => {
    const { run, did, begun, end } = newRun(["a", "b", "c", "d"], { slots: 2 });
    await end("a");
    await end("b", closed());
    await end("c", closed());
    expect(await run).toMatchObject({ kind: "gate" });
    expect(begun()).toEqual(["a", "b", "c"]);
    expect(did.at(-1)).toBe("keep b,c,d");
  });

  it("writes nothing where the gate was closed to all", async () => {
    const { run, did, end } = newRun(["a", "b"], { slots: 1 });
    await end("a", closed());
    await run;
    expect(did).toEqual(["begin a"]);
  });

  it("begins its others again as soon as the gate opens, though a call of it is slow", async () => {
    const { run, begun, end } = newRun(["slow", "b", "c"]);
    await end("b", closed(30));
    await end("c", closed(30));
    await vi.waitFor(() => expect(begun()).toEqual(["slow", "b", "c", "b", "c"]));
    await end("b");
    await end("c");
    await end("slow");
    expect(await run).toEqual(DONE);
  });

  it("gives a job that must wait an entry of its own before anything else is changed", async () => {
    const { run, did, end, inHand } = newRun(["a", "b"], { size: 2 });
    await end("a", { kind: "later", until: Date.now() + 60_000 });
    expect(did.at(-1)).toBe("add a");
    expect(inHand()).toBe(1);
    await end("b");
    expect(await run).toEqual(DONE);
    expect(did.slice(2)).toEqual(["add a", "end"]);
  });

  it("gives a job that failed by a fault of ours an entry of its own, and says the fault: its mates do not wait for it", async () => {
    const { run, did, end } = newRun(["a", "b", "c"]);
    await end("b", new Error("a fault of ours"));
    await end("a", closed());
    await end("c");
    expect(await run).toMatchObject({ kind: "gate" });
    expect(did.slice(3)).toEqual(["b threw a fault of ours", "add b", "keep a"]);
  });

  it("keeps the job that Redis refused for now, and says so to the queue", async () => {
    const { run, did, end } = newRun(["a", "b", "c"]);
    await end("b", new Error("connect ECONNREFUSED 127.0.0.1:6379"));
    await end("a");
    await end("c");
    await expect(run).rejects.toThrow("ECONNREFUSED");
    expect(did.at(-1)).toBe("keep b");
  });

  it("begins nothing more when its worker stops, and gives the rest back when its calls are done", async () => {
    const { run, did, begun, end, stop } = newRun(["a", "b", "c", "d"], { slots: 1 });
    await end("a");
    stop.abort();
    await end("b");
    expect(await run).toMatchObject({ kind: "gate" });
    expect(begun()).toEqual(["a", "b"]);
    expect(did.at(-1)).toBe("keep c,d");
  });
});

describe("a ticket whose list", () => {
  it("is not there yet is looked at again in a moment", async () => {
    const { run, did } = newRun(null, { age: 9_000 });
    expect(await run).toMatchObject({ kind: "later" });
    expect(did).toEqual([]);
  });

  it("never came, or is none, is left to the reaper, and that is said", async () => {
    const { run, did } = newRun(null, { age: 10_000 });
    expect(await run).toEqual(DONE);
    expect(did).toEqual(["unreadable"]);
  });

  it("is not whole has its readable jobs run, is never ended for the others, and that is said once", async () => {
    const { run, did, end } = newRun({ ids: ["a"], isWhole: false });
    await end("a");
    expect(await run).toEqual(DONE);
    expect(did).toEqual(["begin a", "give up", "unreadable"]);
  });

  it("is not whole stays so when the gate closes", async () => {
    const { run, did, end } = newRun({ ids: ["a", "b"], isWhole: false });
    await end("a");
    await end("b", closed());
    expect(await run).toMatchObject({ kind: "gate" });
    expect(did.at(-1)).toBe("keep b?");
  });

  it("is empty is never ended", async () => {
    const { run, did } = newRun({ ids: [], isWhole: false });
    expect(await run).toEqual(DONE);
    expect(did).toEqual(["give up", "unreadable"]);
  });
});
