import { GateControl } from "../../../src/limits/control.ts";
import { parseQuota } from "../../../src/limits/parse-quota.ts";
import type { GatePolicy } from "../../../src/limits/policy.ts";
import { NO_REPLY } from "../../../src/outcomes/outcome.ts";
import { bullmqPrefix, queuePrefix, type QueueName, recordKey } from "../../../src/queues/names.ts";
import type { AttemptStart, Permit } from "../../../src/records/attempt-start.ts";
import type { CallHealth, AttemptEnd } from "../../../src/records/attempt-end.ts";
import { createIds } from "../../../src/records/ids.ts";
import { Journal } from "../../../src/records/journal.ts";
import { RecordStore } from "../../../src/records/record-store.ts";
import type { NewJob } from "../../../src/records/stored-job.ts";
import type { TestRedis } from "../../support/redis.ts";
import { TestClock } from "../../support/test-clock.ts";

const POLICY: GatePolicy = {
  holdMs: 300_000,
  callMs: 30_000,
  cooldownMs: 60_000,
  otpLimit: { max: 5, ms: 1_800_000 },
  floorEvery: 9,
};
export const WELL: CallHealth = { kind: "well" };
export const FAILED: CallHealth = { kind: "failed" };
export const REFUSED: CallHealth = { kind: "refused", scope: null, reason: "403" };

/** What of the policy is not the default. */
export type Given = Partial<GatePolicy>;

type Run = Extract<AttemptStart, { kind: "run" }>;

/** Of a provider that is known well, for ever: whatever is called, the number of calls at once stops nobody. */
export const UNLIMITED = "1000000 1 1 4000000000000 0";

/** A gate of its own, whose time stands until it is moved, and jobs in front of it. `flow`: what it knows of the provider; null: nothing. */
export async function newGate(
  redis: TestRedis,
  quota = "",
  given: Given = {},
  { flow = UNLIMITED }: { readonly flow?: string | null } = {},
) {
  const client = redis.client();
  const queue: QueueName = `{eko-${await client.incr("gates")}}`;
  const clock = await TestClock.start(client, `clock:${queue}`);
  const retention = { recordMs: 60_000, resultMs: 30_000 };
  const store = new RecordStore(client, retention);
  const policy = { ...POLICY, ...given };
  const journal = new Journal({ redis: client, queue, retentionMs: retention.recordMs, policy });
  const control = new GateControl(client);
  await control.configure(queue, parseQuota(quota === "" ? "100000/1ms" : quota, "quota"));
  const key = `${queuePrefix(queue)}control`;
  if (flow !== null) await client.hset(key, "flow", flow);
  const ids = createIds();
  const runs = new Map<string, Run>();

  const newJob = (more: Partial<NewJob> = {}): NewJob => ({
    ...{ id: ids.job(clock.now), operation: "eko.mobile-otp", lane: "interactive", input: "{}", digest: "d" },
    ...{ reference: "derived", subject: null, of: null, holdNames: [], createdAt: clock.now, expiresAt: null },
    ...{ consent: null, ...more },
  });
  const create = async (more: Partial<NewJob> = {}): Promise<string> => {
    const job = newJob(more);
    await store.create(queue, [job]);
    return job.id;
  };
  const begin = async (id: string): Promise<AttemptStart> => {
    const beginning = await journal.begin(id, ids.reference(clock.now), clock.now);
    if (beginning.kind === "run") runs.set(id, beginning);
    return beginning;
  };
  const finish = async (id: string, health: CallHealth | null, more: Partial<AttemptEnd> = {}) => {
    const run = runs.get(id);
    if (run === undefined) throw new Error(`${id} was not begun`);
    const outcome = { kind: "succeeded", ...NO_REPLY } as const;
    const ending: AttemptEnd = {
      ...{ attemptToken: run.attemptToken, attempt: { client_ref_id: run.clientRefId, started: 1, ended: 2, outcome } },
      ...{ state: "succeeded", reason: null, nextAt: null, cause: null, result: null, personal: null },
      ...{
        used: 1,
        pendings: 0,
        resends: 0,
        health,
        job: run.job,
        sent: false,
      },
      ...{ answers: null, retention: { lookAt: "unchanged", keepsInput: true }, entry: null, lost: false },
      ...more,
    };
    return await journal.finish(id, clock.now, ending);
  };
  /** A whole call that ended so; what the gate said where it did not let it through. */
  const call = async (health: CallHealth | null, more: Partial<NewJob> = {}) => {
    const id = await create(more);
    const beginning = await begin(id);
    if (beginning.kind === "run") await finish(id, health);
    return { id, ...beginning };
  };
  /** A fresh permit for that job, as if an attempt of it were open. */
  const permit = async (old: string | null, id: string, subject: string | null): Promise<Permit | number> => {
    const open = runs.get(id)?.attemptToken ?? "1 test";
    if (!runs.has(id)) await client.hset(recordKey(queue, id), "open", open);
    const fresh = await journal.permit(old, id, open, subject);
    if (fresh === null) throw new Error(`the attempt of ${id} is not open`);
    return fresh;
  };
  return {
    ...{ queue, client, store, journal, control, key, newJob, create, begin, finish, call, permit, clock },
    permits: async () => await client.lrange(`${queuePrefix(queue)}permits`, 0, -1),
    inFlight: async () => await client.zcard(`${queuePrefix(queue)}flights`),
    field: async (name: string) => await client.hget(key, name),
    closedMs: async () => await client.pttl(`${bullmqPrefix(queue)}limiter`),
  };
}

export type Gate = Awaited<ReturnType<typeof newGate>>;
