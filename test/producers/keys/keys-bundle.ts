import { connectKeys } from "../../../producers/keys/connect-keys.ts";
import type { KeyDeps, UseKeys } from "../../../producers/keys/key-deps.ts";
import { findOperation } from "../../../src/operations/catalogue.ts";
import { parseInput } from "../../../src/operations/entry-rules.ts";
import type { KeyScope } from "../../../src/privacy/sealing/data-key.ts";
import { type KeyRing, parseKeyRing } from "../../../src/privacy/keys/key-ring.ts";
import { dataKeyIdsIn } from "../../../src/privacy/sealing/sealed-text.ts";
import type { Secret } from "../../../src/secrets/secret.ts";
import { queueOf, recordKey } from "../../../src/queues/names.ts";
import { RecordStore } from "../../../src/records/record-store.ts";
import type { NewJob } from "../../../src/records/stored-job.ts";
import { openInput, openPersonal, sealInput, sealPersonal } from "../../../src/records/sealed-input.ts";
import type { JobState } from "../../../src/outcomes/state.ts";
import { startTestRedis, type TestRedis } from "../../support/redis.ts";

const OPERATION = findOperation("eko.mobile-otp");
const QUEUE = queueOf("eko");
export const NAME = "MADE UP PERSON";
export const NOON = Date.parse("2026-11-21T12:00:00Z");
export const TODAY = "day:2026-11-21";
export const DAY_MS = 86_400_000;

/** Records with sealed fields, and the keys of several processes; the clock stands still, and nobody waits. */
export class KeysBundle implements AsyncDisposable {
  readonly redis: TestRedis;
  readonly keysRedis: TestRedis;
  now = NOON;
  /** What was waited for, in ms; called before it is over. */
  readonly waits: number[] = [];
  onWait: () => Promise<void> = async () => {};

  constructor(redis: TestRedis, keysRedis: TestRedis) {
    this.redis = redis;
    this.keysRedis = keysRedis;
  }

  /** As another process would have it. */
  deps(keys: KeyRing): KeyDeps {
    const [redis, keysRedis] = [this.redis.client(), this.keysRedis.client()];
    const deps = connectKeys(redis, keysRedis, { keys, keyService: null }, () => this.now, "command:test");
    const sleep = async (ms: number): Promise<void> => {
      this.waits.push(ms);
      this.now += ms;
      await this.onWait();
    };
    return { ...deps, sleep };
  }

  use(keys: KeyRing): UseKeys {
    const deps = this.deps(keys);
    return async (work) => await work(deps);
  }

  readonly addJob = addJob;
  readonly read = readJob;

  /** The ids of the data keys that a job names. */
  async dataKeysOf(id: string): Promise<string[]> {
    const { input = "", personal = "" } = await this.redis.client().hgetall(recordKey(QUEUE, id));
    return [...new Set([input, personal].flatMap(dataKeyIdsIn))];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.redis.stop();
    if (this.keysRedis !== this.redis) await this.keysRedis.stop();
  }
}

/** A job's record as it is after a successful call: a sealed input, and sealed personal data. */
export async function addJob(
  { dataKeys, redis }: KeyDeps,
  id: string,
  scope: KeyScope = TODAY,
  state: JobState = "succeeded",
): Promise<void> {
  const sealer = await dataKeys.sealer(scope);
  const input = parseInput(OPERATION, { mobile: mobileOf(id), csp_id: "agent-1" }, { now: 0, aadhaarChecksum: true });
  const job: NewJob = {
    ...{ id, operation: OPERATION.name, lane: "interactive", input: sealInput(sealer, OPERATION, id, input) },
    ...{ digest: "d", reference: "fresh", subject: null, of: null, holdNames: [], createdAt: NOON, expiresAt: null },
    consent: null,
  };
  await new RecordStore(redis, { recordMs: DAY_MS, resultMs: DAY_MS }).create(QUEUE, [job]);
  const personal = sealPersonal(sealer, OPERATION, id, { name: NAME });
  await redis.hset(recordKey(QUEUE, id), { state, personal });
}

/** What somebody with these keys can read of a job: its mobile number and name. Throws what opening throws. */
export async function readJob(
  { dataKeys, redis }: KeyDeps,
  id: string,
): Promise<readonly [mobile: string, name: unknown]> {
  const { input = "", personal = "" } = await redis.hgetall(recordKey(QUEUE, id));
  const opener = await dataKeys.opener([input, personal]);
  const opened = openInput(opener, OPERATION, id, input);
  return [(opened["mobile"] as Secret).open(), openPersonal(opener, OPERATION, id, personal)["name"]];
}

/** `apart`: the data keys have a Redis of their own. */
export async function startKeysBundle({ apart = false } = {}): Promise<KeysBundle> {
  const redis = await startTestRedis();
  return new KeysBundle(redis, apart ? await startTestRedis() : redis);
}

/** Made up; told by the job's number. */
export function mobileOf(id: string): string {
  return `98765${(/\d+/.exec(id)?.[0] ?? "0").padStart(5, "0")}`;
}

export function ringOf(...keys: readonly string[]): KeyRing {
  return parseKeyRing(keys.join(","));
}
