import { tmpdir } from "node:os";
import { randomBytes } from "node:crypto";
import { Client } from "../../producers/client.ts";
import { parseSettings } from "../../src/config/parse-settings.ts";
import type { Settings } from "../../src/config/settings.ts";
import { findOperation, OPERATIONS } from "../../src/operations/catalogue.ts";
import { parseInput } from "../../src/operations/entry-rules.ts";
import { GateControl } from "../../src/limits/control.ts";
import { gatePolicy } from "../../workers/gate-policy.ts";
import type { ProviderName } from "../../src/base/provider-name.ts";
import { NO_REPLY, type OutcomeKind, type Result } from "../../src/outcomes/outcome.ts";
import { dayScope } from "../../src/privacy/sealing/data-key.ts";
import type { DataKeys } from "../../src/privacy/keys/data-keys.ts";
import { openKeyChain } from "../../src/privacy/keys/key-chain.ts";
import { inputDigest } from "../../src/secrets/subject-key.ts";
import { parseTicket } from "../../src/queues/ticket.ts";
import { TicketLists } from "../../src/queues/ticket-lists.ts";
import { queueOf } from "../../src/queues/names.ts";
import { RedisAccess } from "../../src/redis/access.ts";
import type { AttemptStart } from "../../src/records/attempt-start.ts";
import type { AttemptEnd } from "../../src/records/attempt-end.ts";
import { Journal } from "../../src/records/journal.ts";
import { RecordStore } from "../../src/records/record-store.ts";
import { retentionOf } from "../../src/records/retention.ts";
import { sealInput } from "../../src/records/sealed-input.ts";
import type { NewJob } from "../../src/records/stored-job.ts";
import { readTestEnv } from "./env.ts";
import { startTestRedis, type TestRedis } from "./redis.ts";

/** Made up: no real person's. */
export const MOBILE = "9123456780";
export const AADHAAR = "234123412346";
export const CONSENT = { reference: "C-1", method: "signed form", obtained_at: "2026-01-15T10:00:00+05:30" };
export const MOBILE_INPUT = { mobile: MOBILE, csp_id: "agent-1" };
export const AADHAAR_INPUT = { aadhaar: AADHAAR, purpose: "Sender onboarding", consent: CONSENT };

/** What an attempt came to, where its job's state follows from it. */
const OUTCOMES: Readonly<Record<AttemptEnd["state"], OutcomeKind>> = {
  ...{ succeeded: "succeeded", rejected: "rejected", failed: "unavailable", unknown: "unknown", waiting: "pending" },
  ...{ expired: "unavailable", cancelled: "unavailable" },
};

interface Finish {
  readonly result?: Result | null;
  readonly personal?: string | null;
  /** Default: as the state says. */
  readonly kind?: OutcomeKind;
  readonly reason?: string | null;
  /** When, in ms. */
  readonly at?: number;
}

/** A Redis, settings, a client of it, and the records behind it: all of one test's own, and nobody who takes jobs. */
export class ClientBundle implements AsyncDisposable {
  readonly redis: TestRedis;
  readonly settings: Settings;
  readonly client: Client;
  /** What a worker or a dying producer would do to the records. */
  readonly records: RecordStore;
  /** The keys of all of them. */
  readonly dataKeys: DataKeys;
  readonly #clients: Client[] = [];
  readonly #journals = new Map<ProviderName, Journal>();
  readonly #open = new Map<string, Extract<AttemptStart, { kind: "run" }>>();

  constructor(redis: TestRedis, settings: Settings) {
    this.redis = redis;
    this.settings = settings;
    this.records = new RecordStore(redis.client(), settings.retention);
    this.dataKeys = openKeyChain(redis.client(), settings, Date.now).dataKeys;
    this.client = this.newClient();
  }

  /** A client with connections of its own, as another process has. */
  newClient(settings: Partial<Settings> = {}): Client {
    const all = { ...this.settings, ...settings };
    const { machine } = readTestEnv();
    const openRedis = async (): Promise<RedisAccess> =>
      await RedisAccess.open({ settings: all, stateDir: "/nowhere", machine, onError: () => {} });
    const client = new Client({ tmpDir: tmpdir(), settings: all, openRedis, actor: "library:test", now: Date.now });
    this.#clients.push(client);
    return client;
  }

  /** The record alone, as a producer leaves it that dies before it could queue the job. */
  async recordOnly(id: string, name: string, raw: Readonly<Record<string, unknown>>): Promise<void> {
    const operation = findOperation(name);
    const { subjectKey } = this.settings;
    const sealer = await this.dataKeys.sealer(dayScope(Date.now()));
    const input = parseInput(operation, raw, { now: Date.now(), aadhaarChecksum: true });
    const job: NewJob = {
      id,
      operation: name,
      lane: "interactive",
      input: sealInput(sealer, operation, id, input),
      digest: inputDigest(subjectKey, name, input),
      reference: "fresh",
      subject: null,
      of: null,
      holdNames: [],
      createdAt: Date.now(),
      expiresAt: null,
      consent: null,
    };
    await this.records.create(queueOf(operation.provider), [job]);
  }

  /** Opens an attempt, as a worker does that takes the job; `freshRef` is used where its id is the caller's own. */
  async begin(id: string, provider: ProviderName, freshRef = "ref-1"): Promise<void> {
    // A worker's start does it.
    await new GateControl(this.redis.client()).configure(queueOf(provider), [{ max: 1_000, ms: 1_000 }]);
    const beginning = await this.#journal(provider).begin(id, freshRef, Date.now());
    if (beginning.kind !== "run") throw new Error(`${id} was ${beginning.kind}`);
    this.#open.set(id, beginning);
  }

  /** Closes that attempt. */
  async finish(id: string, provider: ProviderName, state: AttemptEnd["state"], given: Finish = {}): Promise<void> {
    const begun = this.#open.get(id);
    if (begun === undefined) throw new Error(`${id} was not begun`);
    const { attemptToken, clientRefId, job } = begun;
    const { result = null, personal = null, kind = OUTCOMES[state], reason = null, at = Date.now() } = given;
    const { step } = findOperation(job.operation);
    const { resultMs } = this.settings.retention;
    const ending: AttemptEnd = {
      attemptToken,
      attempt: { client_ref_id: clientRefId, started: at, ended: at, outcome: { kind, ...NO_REPLY } },
      state,
      reason,
      nextAt: state === "waiting" ? at + 60_000 : null,
      cause: state === "waiting" ? "pending" : null,
      result,
      personal,
      ...{ used: 1, pendings: 0, resends: 0, health: null, entry: null, lost: false },
      job,
      sent: kind === "succeeded" || kind === "unknown",
      answers: state === "succeeded" ? job.of : null,
      retention: retentionOf({
        ...{ state, step, result, hasPersonal: personal !== null, endedAt: at, resultRetentionMs: resultMs },
      }),
    };
    const { answer } = await this.#journal(provider).finish(id, at, ending);
    if (answer !== "done") throw new Error(`${id} was ${answer}`);
  }

  /** Ids of the jobs that a worker of the queue would find, those of the bulk lane last. */
  async queued(provider: "eko" | "deepvue"): Promise<string[]> {
    const redis = this.redis.client();
    const base = `bull:${queueOf(provider)}`;
    const [waiting, bulk] = [
      await redis.lrange(`${base}:wait`, "0", "-1"),
      await redis.zrange(`${base}:prioritized`, "0", "-1"),
    ];
    const entries = [...waiting.toReversed(), ...bulk];
    const carried = entries.map(async (name) =>
      parseTicket(name) === null ? [name.slice(2)] : (await new TicketLists(redis, queueOf(provider)).read(name))?.ids,
    );
    return (await Promise.all(carried)).flatMap((ids) => ids ?? []);
  }

  /** One made-up person stands for many: no cooldown. */
  #journal(provider: ProviderName): Journal {
    const known = this.#journals.get(provider);
    if (known !== undefined) return known;
    const journal = new Journal({
      redis: this.redis.client(),
      queue: queueOf(provider),
      retentionMs: this.settings.retention.recordMs,
      policy: { ...gatePolicy(this.settings), cooldownMs: 0, otpLimit: { max: 1_000, ms: 1 } },
    });
    this.#journals.set(provider, journal);
    return journal;
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
