import { randomBytes } from "node:crypto";
import { Client } from "../../producers/client.ts";
import { parseSettings } from "../../src/config/parse-settings.ts";
import type { Settings } from "../../src/config/settings.ts";
import { findOperation, OPERATIONS } from "../../src/operations/catalogue.ts";
import { parseInput } from "../../src/operations/door.ts";
import { gatePolicy } from "../../src/limits/policy.ts";
import { NO_REPLY, type Result } from "../../src/outcomes/outcome.ts";
import { inputDigest } from "../../src/privacy/subject-key.ts";
import { queueOf } from "../../src/queues/names.ts";
import { RedisAccess } from "../../src/queues/redis-access.ts";
import { type Ending, RecordStore } from "../../src/records/record-store.ts";
import { sealInput } from "../../src/records/sealed-input.ts";
import { readTestEnv } from "./env.ts";
import { startTestRedis, type TestRedis } from "./redis.ts";

/** Made up: no real person's. */
export const MOBILE = "9123456780";
export const AADHAAR = "234123412346";
export const CONSENT = { reference: "C-1", method: "signed form", obtained_at: "2026-01-15T10:00:00+05:30" };
export const MOBILE_INPUT = { mobile: MOBILE, csp_id: "agent-1" };
export const AADHAAR_INPUT = { aadhaar: AADHAAR, purpose: "Sender onboarding", consent: CONSENT };

/** A Redis, settings, a client of it, and the records behind it: all of one test's own, and nobody who takes jobs. */
export class ClientBundle implements AsyncDisposable {
  readonly redis: TestRedis;
  readonly settings: Settings;
  readonly client: Client;
  /** What a worker or a dying producer would do to the records. */
  readonly records: RecordStore;
  readonly #clients: Client[] = [];

  constructor(redis: TestRedis, settings: Settings) {
    this.redis = redis;
    this.settings = settings;
    this.records = new RecordStore(redis.client(), settings.recordRetentionMs);
    this.client = this.newClient();
  }

  /** As another process would have it: of its own connections. */
  newClient(settings: Partial<Settings> = {}): Client {
    const all = { ...this.settings, ...settings };
    const { machine } = readTestEnv();
    const openRedis = async (): Promise<RedisAccess> =>
      await RedisAccess.open({ settings: all, stateDir: "/nowhere", machine, onError: () => {} });
    const client = new Client({ settings: all, openRedis, now: Date.now });
    this.#clients.push(client);
    return client;
  }

  /** The record alone, as a producer leaves it that dies before it could queue the job. */
  async recordOnly(id: string, name: string, raw: Readonly<Record<string, unknown>>): Promise<void> {
    const operation = findOperation(name);
    const { keys, subjectKey } = this.settings;
    const input = parseInput(operation, raw, { now: Date.now(), aadhaarChecksum: true });
    const job = {
      id,
      operation: name,
      lane: "interactive",
      input: sealInput(keys, operation, id, input),
      digest: inputDigest(subjectKey, name, input),
      clientRefId: null,
      subject: null,
      scopes: [],
      createdAt: Date.now(),
      expiresAt: null,
    } as const;
    await this.records.create(queueOf(operation.provider), [job]);
  }

  /** Opens an attempt, as a worker does that takes the job. */
  async begin(id: string, provider: "eko" | "deepvue", clientRefId = "ref-1"): Promise<void> {
    const beginning = await this.records.begin(
      queueOf(provider),
      id,
      clientRefId,
      Date.now(),
      // One made-up person stands for many: no cooldown.
      { ...gatePolicy(this.settings), cooldownMs: 0, otpLimit: { max: 1_000, ms: 1 } },
    );
    if (beginning.kind !== "run") throw new Error(`${id} was ${beginning.kind}`);
  }

  /** Closes that attempt. */
  async finish(
    id: string,
    provider: "eko" | "deepvue",
    state: Ending["state"],
    { result = null, personal = null }: { readonly result?: Result | null; readonly personal?: string | null } = {},
  ): Promise<void> {
    const now = Date.now();
    const kind = state === "waiting" ? "pending" : state === "succeeded" ? "succeeded" : "rejected";
    const outcome = { kind, ...NO_REPLY } as const;
    const ending: Ending = {
      n: 1,
      attempt: { client_ref_id: "ref-1", started: now, ended: now, outcome },
      state,
      reason: null,
      nextAt: state === "waiting" ? now + 60_000 : null,
      result,
      personal,
      used: 1,
      pendings: 0,
      resends: 0,
      cause: state === "waiting" ? "pending" : null,
      health: null,
      sent: false,
      challenge: null,
      lost: false,
    };
    await this.records.finish(queueOf(provider), id, now, ending, 0);
  }

  /** Ids of the jobs that a worker of the queue would find, those of the bulk lane last. */
  async queued(provider: "eko" | "deepvue"): Promise<string[]> {
    const redis = this.redis.client();
    const base = `bull:${queueOf(provider)}`;
    const [waiting, bulk] = [
      await redis.lrange(`${base}:wait`, "0", "-1"),
      await redis.zrange(`${base}:prioritized`, "0", "-1"),
    ];
    return [...waiting.toReversed(), ...bulk].map((jobId) => jobId.replace(/^j-/, ""));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map(async (client) => await client.close()));
    await this.redis.stop();
  }
}

export async function startClientBundle(env: Readonly<Record<string, string>> = {}): Promise<ClientBundle> {
  const redis = await startTestRedis();
  const settings = parseSettings(
    { ...testKeys(), REDIS_URL: redis.url, ...env },
    { readFile: () => "", operations: OPERATIONS },
  );
  return new ClientBundle(redis, settings);
}

/** Fresh keys, by the names of their settings. */
export function testKeys(): Record<string, string> {
  return {
    SATYAPAN_ENCRYPTION_KEYS: `k1:${randomBytes(32).toString("base64")}`,
    SATYAPAN_SUBJECT_KEY: randomBytes(32).toString("base64"),
  };
}
