import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { madeUpMobile } from "../../simulator/people.ts";
import { dayScope, wrapContext } from "../../src/privacy/sealing/data-key.ts";
import { openKeyChain } from "../../src/privacy/keys/key-chain.ts";
import { parseKeyRing } from "../../src/privacy/keys/key-ring.ts";
import { dataKeyIdsIn } from "../../src/privacy/sealing/sealed-text.ts";
import { recordKey } from "../../src/queues/names.ts";
import { startWorkerBundle, type WorkerBundle } from "../support/worker.ts";

const mobileInput = (index: number) => ({ mobile: madeUpMobile(index), csp_id: "agent-1" });
/** As in SATYAPAN_ENCRYPTION_KEYS. */
const newKey = (id: string): string => `${id}:${randomBytes(32).toString("base64")}`;

async function submit({ client }: WorkerBundle, id: string, index: number, batch?: string): Promise<void> {
  await client.submit("eko.mobile-otp", mobileInput(index), { id, ...(batch === undefined ? {} : { batch }) });
}

async function inputOf({ redis }: WorkerBundle, id: string): Promise<string> {
  return (await redis.client().hget(recordKey("{eko-0}", id), "input")) ?? "";
}

async function setInput({ redis }: WorkerBundle, id: string, input: string): Promise<void> {
  await redis.client().hset(recordKey("{eko-0}", id), "input", input);
}

async function ended({ client }: WorkerBundle, id: string) {
  return await client.waitFor(id);
}

/** How many jobs of this state a worker counted. */
async function counted({ metricsPort }: { readonly metricsPort: number }, state: string): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const lines = page
    .split("\n")
    .filter((each) => each.startsWith("satyapan_jobs_settled_total") && each.includes(state));
  return lines.reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}

/** A key service that keeps the keys themselves and gives out their number, or is away. */
async function startKeyService() {
  const kept: string[] = [];
  const state = { away: false, asked: 0 };
  const serve = async (head: IncomingMessage, reply: ServerResponse): Promise<void> => {
    const { operation, key = "", wrapped = "" } = JSON.parse(await text(head)) as Readonly<Record<string, string>>;
    const answer = operation === "wrap" ? { wrapped: String(kept.push(key) - 1), key_id: "v3" } : null;
    reply.end(JSON.stringify(answer ?? { key: kept[Number(wrapped)] }));
  };
  const server = createServer((head, reply) => {
    state.asked++;
    if (state.away) reply.socket?.destroy();
    else void serve(head, reply);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    state,
    env: { KEY_PROVIDER: `http://127.0.0.1:${port}/keys` },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

describe("a job that cannot be opened", () => {
  it("fails with the code why, is counted, is never called, and stops nothing else", async () => {
    await using bundle = await startWorkerBundle();
    const ids = ["altered", "cut", "no-json", "moved", "renamed", "no-key", "shredded", "missing", "good"];
    for (const [index, id] of ids.entries()) await submit(bundle, id, index, id === "shredded" ? "b-1" : undefined);
    const input = async (id: string) => await inputOf(bundle, id);
    const sealed = await input("altered");
    const at = sealed.indexOf('"mobile":"s2.') + 60;
    await setInput(bundle, "altered", `${sealed.slice(0, at)}${sealed[at] === "A" ? "B" : "A"}${sealed.slice(at + 1)}`);
    await setInput(bundle, "cut", (await input("cut")).replace(/.{8}"(?=[,}])/, '"'));
    await setInput(bundle, "no-json", (await input("no-json")).slice(0, -9));
    await setInput(bundle, "moved", await input("good"));
    const names = JSON.parse(await input("renamed")) as { sealed: Record<string, string> };
    const { mobile = "", csp_id = "" } = names.sealed;
    await setInput(bundle, "renamed", JSON.stringify({ ...names, sealed: { mobile: csp_id, csp_id: mobile } }));
    await setInput(bundle, "no-key", (await input("no-key")).replaceAll(/s2\.\w{12}\./g, "s2.000000000000."));
    await setInput(bundle, "missing", '{"plain":{},"sealed":{}}');
    const { dataKeys } = openKeyChain(bundle.redis.client(), bundle.settings, Date.now);
    await dataKeys.destroy(dataKeyIdsIn(await input("shredded")).slice(0, 1));
    const worker = await bundle.startWorker();
    for (const id of ids) {
      const code = { good: null, shredded: "shredded", "no-key": "shredded" }[id];
      const record = await ended(bundle, id);
      if (code === null) expect(record).toMatchObject({ state: "succeeded" });
      else {
        const reason = expect.stringMatching(new RegExp(`^${code ?? "unreadable"}: `)) as string;
        expect(record, id).toMatchObject({ state: "failed", reason, outcome: { kind: "refused", http_status: null } });
        expect(record.attempts, id).toHaveLength(1);
      }
    }
    expect(bundle.simulator.requests).toHaveLength(1);
    await expect.poll(async () => await counted(worker, "failed")).toBe(ids.length - 1);
    expect(await counted(worker, "succeeded")).toBe(1);
    const log = bundle.log.join("");
    for (const [index] of ids.entries()) expect(log).not.toContain(madeUpMobile(index));
  });
});

it("a job whose secrets are sealed in one piece is called with them, and not where that was altered", async () => {
  await using bundle = await startWorkerBundle({ env: { SEAL_INPUTS: "whole" } });
  for (const [index, id] of ["good", "altered", "moved"].entries()) await submit(bundle, id, index);
  const sealed = await inputOf(bundle, "altered");
  expect(sealed).toMatch(/^\{"plain":\{[^{}]*\},"sealed":"s2\.[^"]+"\}$/);
  const at = sealed.lastIndexOf('"') - 12;
  await setInput(bundle, "altered", `${sealed.slice(0, at)}${sealed[at] === "A" ? "B" : "A"}${sealed.slice(at + 1)}`);
  await setInput(bundle, "moved", await inputOf(bundle, "good"));
  // One that seals field by field reads both.
  await bundle.startWorker({ sealsWhole: false });
  expect(await ended(bundle, "good")).toMatchObject({ state: "succeeded" });
  for (const id of ["altered", "moved"]) {
    const reason = expect.stringMatching(/^unreadable: /) as string;
    expect(await ended(bundle, id)).toMatchObject({ state: "failed", reason });
  }
  expect(bundle.simulator.requests.map(({ person }) => person)).toEqual([madeUpMobile(0)]);
});

async function readyz({ metricsPort }: { readonly metricsPort: number }): Promise<string> {
  const reply = await fetch(`http://127.0.0.1:${metricsPort}/readyz`);
  return `${reply.status} ${(await reply.text()).trim()}`;
}

describe("a worker that lacks a key in use", () => {
  it("takes no jobs, says which key it lacks, and leaves them to one that has it", async () => {
    await using bundle = await startWorkerBundle();
    for (const index of [1, 2, 3]) await submit(bundle, `job-${index}`, index);
    const lacking = await bundle.startWorker({ keys: parseKeyRing(newKey("k2")) });
    expect(await readyz(lacking)).toBe(
      '503 it lacks the key "k1" of SATYAPAN_ENCRYPTION_KEYS, in use by the other workers or by jobs that wait',
    );
    for (const index of [1, 2, 3]) expect(await bundle.client.get(`job-${index}`)).toMatchObject({ state: "queued" });
    await bundle.startWorker();
    for (const index of [1, 2, 3]) {
      expect(await ended(bundle, `job-${index}`)).toMatchObject({ state: "succeeded", attempts: [{ n: 1 }] });
    }
    expect(bundle.log.filter((line) => line.includes("a key in use is not among this worker's"))).toHaveLength(1);
  });

  it("is told by another key of the same id, too, and nothing is sealed with that", async () => {
    await using bundle = await startWorkerBundle();
    await submit(bundle, "job-1", 1);
    const keys = parseKeyRing(newKey("k1"));
    const lacking = await bundle.startWorker({ keys });
    expect(await readyz(lacking)).toContain('it lacks the key "k1" (it has another key of that id)');
    const theirs = openKeyChain(bundle.redis.client(), { keys, keyService: null }, Date.now);
    await expect(theirs.dataKeys.sealer(dayScope(Date.now()))).rejects.toMatchObject({ code: "unknown-key" });
    await bundle.startWorker();
    expect(await ended(bundle, "job-1")).toMatchObject({ state: "succeeded" });
  });

  it("puts a job off that needs one, at no cost, and goes on once nothing needs the key", async () => {
    const [older, newer] = [newKey("k1"), newKey("k2")];
    await using bundle = await startWorkerBundle({ env: { CALL_ATTEMPTS: "1", SATYAPAN_ENCRYPTION_KEYS: older } });
    await submit(bundle, "job-1", 1, "b-1");
    const ours = openKeyChain(bundle.redis.client(), bundle.settings, Date.now);
    const lacking = await bundle.startWorker({ keys: parseKeyRing(newer) });
    await expect.poll(async () => await readyz(lacking)).toMatch(/^503 .*"k1"/);
    // The worker says so before its job is put off, and may take it once more before it takes none.
    await expect
      .poll(async () => await bundle.client.get("job-1"))
      .toMatchObject({
        ...{
          state: "waiting",
          attempts: expect.arrayContaining([expect.objectContaining({ n: 1 })]) as unknown,
          reason: expect.stringMatching(/^waits for the keys: .*"k1"/) as string,
        },
      });
    expect(bundle.simulator.requests).toEqual([]);
    // As `keys rotate` does: what k1 wrapped is wrapped by k2 now.
    const both = openKeyChain(
      bundle.redis.client(),
      { keys: parseKeyRing(`${newer},${older}`), keyService: null },
      Date.now,
    );
    const [dataKey] = (await ours.store.list()).dataKeys;
    if (dataKey === undefined) throw new Error("no data key was made");
    const context = wrapContext(dataKey.id, dataKey.scope);
    const wrapped = await both.provider.wrap(await both.provider.unwrap(dataKey.wrapped, context), context);
    expect(await both.store.rewrap(dataKey.id, wrapped, "k2", dataKey.wrapped)).toBe("done");
    expect(await ended(bundle, "job-1")).toMatchObject({ state: "succeeded" });
    expect(await readyz(lacking)).toBe("200 ready");
    expect(await counted(lacking, "failed")).toBe(0);
  });
});

describe("a job whose result could not be sealed", () => {
  it("waits, and is not called before it could be", async () => {
    const [older, newer] = [newKey("k1"), newKey("k2")];
    await using bundle = await startWorkerBundle({ env: { CALL_ATTEMPTS: "1", SATYAPAN_ENCRYPTION_KEYS: older } });
    await submit(bundle, "job-1", 1);
    const ours = openKeyChain(bundle.redis.client(), bundle.settings, Date.now);
    await ours.dataKeys.close(dataKeyIdsIn(await inputOf(bundle, "job-1")).slice(0, 1));
    // Another process, of a newer ring than the worker's, made the key of today.
    const theirs = openKeyChain(bundle.redis.client(), { keys: parseKeyRing(newer), keyService: null }, Date.now);
    await theirs.dataKeys.sealer(dayScope(Date.now()));
    const old = await bundle.startWorker();
    await expect.poll(async () => await readyz(old)).toMatch(/^503 it lacks the key "k2"/);
    expect(await bundle.client.get("job-1")).toMatchObject({ state: "queued", attempts: [] });
    expect(bundle.simulator.requests).toEqual([]);
    await old.stop();
    await bundle.startWorker({ keys: parseKeyRing(`${newer},${older}`) });
    expect(await ended(bundle, "job-1")).toMatchObject({ state: "succeeded" });
    expect(bundle.simulator.requests).toHaveLength(1);
  });
});

describe("while the key service is away", () => {
  it("jobs wait, which costs no attempt, and are called once it is back", async () => {
    await using service = await startKeyService();
    await using bundle = await startWorkerBundle({ env: { ...service.env, CALL_ATTEMPTS: "1" } });
    for (const index of [1, 2, 3]) await submit(bundle, `job-${index}`, index);
    service.state.away = true;
    const asked = service.state.asked;
    const worker = await bundle.startWorker();
    await expect.poll(() => service.state.asked).toBeGreaterThan(asked + 3);
    for (const index of [1, 2, 3]) {
      const record = await bundle.client.get(`job-${index}`);
      expect(["waiting", "active"]).toContain(record?.state);
    }
    await expect
      .poll(async () => (await bundle.client.get("job-1"))?.reason)
      .toMatch(/waits for the keys: the key service \(KEY_PROVIDER, 127\.0\.0\.1:\d+\) does not give keys/);
    expect(bundle.simulator.requests).toEqual([]);
    // Nor does it cost anything of the quota, however often they are tried.
    await expect.poll(async () => await bundle.redis.client().llen("satyapan:{eko-0}:permits")).toBe(0);
    service.state.away = false;
    for (const index of [1, 2, 3])
      expect(await ended(bundle, `job-${index}`)).toMatchObject({ state: "succeeded", outcome: { kind: "succeeded" } });
    expect(bundle.simulator.requests).toHaveLength(3);
    expect(await counted(worker, "failed")).toBe(0);
  });

  it("jobs whose keys are at hand are called all the same", async () => {
    await using service = await startKeyService();
    await using bundle = await startWorkerBundle({ env: service.env });
    await bundle.startWorker();
    await submit(bundle, "job-1", 1);
    expect(await ended(bundle, "job-1")).toMatchObject({ state: "succeeded" });
    service.state.away = true;
    await submit(bundle, "job-2", 2);
    expect(await ended(bundle, "job-2")).toMatchObject({ state: "succeeded" });
    await expect(submit(bundle, "job-3", 3, "b-1")).rejects.toMatchObject({ code: "keys-unreachable" });
    expect(await bundle.client.get("job-3")).toBeNull();
  });

  it("a job whose deadline comes meanwhile expires", async () => {
    await using service = await startKeyService();
    await using bundle = await startWorkerBundle({ env: service.env });
    await bundle.client.submit("eko.mobile-otp", mobileInput(1), { id: "job-1", expiresIn: "1500ms" });
    service.state.away = true;
    await bundle.startWorker();
    expect(await ended(bundle, "job-1")).toMatchObject({ state: "expired" });
    expect(await inputOf(bundle, "job-1")).toBe("");
    expect(bundle.simulator.requests).toEqual([]);
  });
});
