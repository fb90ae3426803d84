import { isHeld } from "../../src/batches/held.ts";
import { Challenges } from "../../src/challenges/challenges.ts";
import { challengeOver } from "../../src/challenges/refusals.ts";
import type { Settings } from "../../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { Engine } from "../../src/flows/engine.ts";
import { findFlow, type FlowInputOf, type FlowName } from "../../src/flows/flows.ts";
import { isOver, LONGEST_ONBOARDING_ID, type Onboarding } from "../../src/flows/onboarding.ts";
import { newOnboarding } from "../../src/flows/new-onboarding.ts";
import { onboardingKey, OnboardingStore } from "../../src/flows/onboarding-store.ts";
import { parseInput } from "../../src/operations/entry-rules.ts";
import type { Lane } from "../../src/outcomes/lane.ts";
import { type QueueName, queueOf, QUEUES } from "../../src/queues/names.ts";
import { checkOwnId, type Ids } from "../../src/records/ids.ts";
import { type Actor, checkReason } from "../base/actor.ts";
import type { ClientConnections, LazyConnections } from "../base/client-connections.ts";
import { assertImpersonal } from "../jobs/intake.ts";
import { jobTerms } from "../jobs/job-terms.ts";
import type { WaitOptions } from "../jobs/wait-for.ts";
import { type ChallengeRecord, challengeRecord, type OnboardingRecord, onboardingRecord } from "./onboarding-record.ts";

export interface OnboardOptions {
  /** The caller's own id, at most 40 characters: the same one twice gives the first onboarding back. Default: a new one. */
  readonly id?: string;
  /** Of its steps; codes are always verified in the interactive one. Default `interactive`. */
  readonly lane?: Lane;
  /** A duration such as `"10m"`, or milliseconds: past it no further step is called. Default: none. */
  readonly expiresIn?: string | number;
  /** As of `submit`. */
  readonly batch?: string;
}

/** What came of a code. */
export interface AnswerRecord {
  /** The send or onboarding that was answered. */
  readonly id: string;
  /** `kept`: its OTP was not sent yet; the code is given once it is. `same`: that code was given before. */
  readonly answer: "begun" | "same" | "kept";
  /** The job that verifies it; null while it is kept. */
  readonly verify: string | null;
}

export interface OnboardingsDeps {
  readonly settings: Settings;
  readonly connections: LazyConnections;
  readonly actor: Actor;
  readonly ids: Ids;
}

interface Rooms {
  readonly store: OnboardingStore;
  readonly challenges: Challenges;
  readonly engine: Engine;
}

const DEFAULT_WAIT_MS = 60_000;
/** A message can be lost with a connection, so it is also read this often, in ms. */
const LOOK_MS = 2_000;

/** Persons on their way through flows, and the codes that they are asked for. */
export class Onboardings {
  readonly #deps: OnboardingsDeps;

  constructor(deps: OnboardingsDeps) {
    this.#deps = deps;
  }

  /** Begins one; its record. Throws SatyapanError: InputError naming each bad field, `unknown-flow`, `id-conflict`. */
  async begin<Name extends FlowName>(
    flow: Name,
    input: FlowInputOf<Name>,
    options?: OnboardOptions,
  ): Promise<OnboardingRecord> {
    return await this.beginUnchecked(flow, input, options);
  }

  /** `begin` for names and inputs that are known only at run time; checked just the same. */
  async beginUnchecked(name: string, raw: unknown, options: OnboardOptions = {}): Promise<OnboardingRecord> {
    const { settings, connections, ids } = this.#deps;
    const flow = findFlow(name);
    const now = connections.clock.now();
    const { lane, expiresInMs, scope } = jobTerms(options, "interactive", now);
    const input = parseInput(flow, raw, { ...settings, now });
    const ownId = options.id === undefined ? null : checkOnboardingId(options.id);
    if (ownId !== null) assertImpersonal(ownId, input);
    return await this.#use(async (opened, { store }) => {
      const createdAt = connections.clock.now();
      const id = ownId ?? ids.job(createdAt);
      const sealer = await opened.dataKeys.sealer(scope);
      const queue = queueOf(flow.provider);
      const expiresAt = expiresInMs === null ? null : createdAt + expiresInMs;
      const terms = { id, lane, createdAt, expiresAt, parent: null };
      const begun = await store.begin(queue, newOnboarding(flow, input, settings.subjectKey, sealer, terms));
      if (begun === "conflict") throw idConflict(id);
      const record = await this.#get(id);
      if (record === null) throw new TypeError("no record of an onboarding that was begun");
      return begun === "duplicate" ? { ...record, duplicate: true } : record;
    });
  }

  /** Null: there is none of this id. */
  async get(id: string): Promise<OnboardingRecord | null> {
    return await this.#get(id);
  }

  /** Those that belong to no batch, newest first. */
  async list({ limit = 50 }: { readonly limit?: number } = {}): Promise<OnboardingRecord[]> {
    const most = Math.max(1, Math.min(limit, 1_000));
    return await this.#use(async (_opened, { store, challenges }) => {
      const found = await Promise.all(
        QUEUES.map(async (queue) => {
          const ids = await store.newest(queue, this.#now(), most);
          const all = await store.getMany(queue, ids);
          return all.flatMap((onboarding) => (onboarding === null ? [] : [{ queue, onboarding }]));
        }),
      );
      const newest = found
        .flat()
        .toSorted((one, other) => other.onboarding.createdAt - one.onboarding.createdAt)
        .slice(0, most);
      return await Promise.all(newest.map(async (one) => await withChallenge(challenges, one.queue, one.onboarding)));
    });
  }

  /**
   * Has it end before its next step; a call that is under way ends truthfully, and may be the last one. Throws SatyapanError
   * `unknown-job`, `bad-input` where it is over.
   */
  async cancel(id: string, { reason }: { readonly reason: string }): Promise<OnboardingRecord> {
    const why = checkReason(typeof reason === "string" ? reason : "");
    return await this.#use(async (_opened, { store, engine }) => {
      const { queue, onboarding } = await this.#find(store, id);
      const { actor } = this.#deps;
      const answer = await store.cancel(queue, id, why, {
        ...{ at: new Date(actor.now()).toISOString(), kind: "cancel", actor: actor.name, job: id },
        ...{ operation: onboarding.flow, subject: onboarding.subjects[0] ?? null, reason: why },
      });
      if (answer === "missing") throw challengeOver(id, { kind: "missing" });
      if (answer !== "done") {
        throw new SatyapanError(ErrorCode.BAD_INPUT, `onboarding ${id} is ${answer}: there is nothing to cancel`);
      }
      await engine.advance(queue, id);
      return (await this.#get(id)) ?? onboardingRecord(onboarding, null);
    });
  }

  /** Resolves once it is over, or `unknown`. Throws SatyapanError `wait-timeout`, `unknown-job`. */
  async waitFor(id: string, { timeoutMs = DEFAULT_WAIT_MS, signal }: WaitOptions = {}): Promise<OnboardingRecord> {
    return await this.waitUntil(id, ({ state }) => isOver(state), { timeoutMs, ...(signal && { signal }) });
  }

  /** `waitFor` what the caller looks for. */
  async waitUntil(
    id: string,
    isThere: (record: OnboardingRecord) => boolean,
    { timeoutMs = DEFAULT_WAIT_MS, signal }: WaitOptions = {},
  ): Promise<OnboardingRecord> {
    const { connections } = this.#deps;
    const { listener } = await connections.connect();
    await connections.use(async () => await listener.subscribe());
    const deadline = performance.now() + timeoutMs;
    let wake = (): void => {};
    const wakeUp = (): void => wake();
    const stop = listener.listen(id, wakeUp);
    signal?.addEventListener("abort", wakeUp);
    try {
      for (;;) {
        // Before it is read, so that what happens meanwhile is not missed.
        const woken = new Promise<void>((resolve) => (wake = resolve));
        const record = await this.#get(id);
        if (record === null) throw challengeOver(id, { kind: "missing" });
        if (isThere(record)) return record;
        const left = deadline - performance.now();
        if (!(left > 0) || signal?.aborted === true) {
          throw new SatyapanError(ErrorCode.WAIT_TIMEOUT, `onboarding ${id} is still ${record.state}`);
        }
        const timer = setTimeout(wakeUp, Math.min(left, LOOK_MS));
        await woken;
        clearTimeout(timer);
      }
    } finally {
      stop();
      signal?.removeEventListener("abort", wakeUp);
    }
  }

  /**
   * Gives a code: `id` is of a send, or of an onboarding. It is verified once, in the interactive lane; one that comes before its
   * OTP was sent is kept for minutes. Throws SatyapanError with the reason where none is taken: `bad-input`, `expired`, `unknown-job`.
   */
  async answer(id: string, code: string): Promise<AnswerRecord> {
    const { actor } = this.#deps;
    return await this.#use(async (opened, { store, challenges, engine }) => {
      const found = await this.#tryFind(store, id);
      if (found === null) {
        const queue = await queueOfSend(opened, id);
        const newest = await challenges.newest(queue, id);
        return answered(id, await challenges.answer(queue, newest, code, actor.name));
      }
      const { queue, onboarding } = found;
      if (onboarding.state === "running") {
        checkCode(code);
        if (await challenges.keepEarly(queue, id, onboardingKey(queue, id), code))
          return answered(id, { verify: null, isSame: false });
        return await this.answer(id, code);
      }
      if (onboarding.state !== "awaiting_otp") {
        const known = await this.#knownAnswer(queue, onboarding, challenges, code);
        if (known !== null) return answered(id, known);
        throw challengeOver(id, { kind: "over", about: onboarding.state });
      }
      const plan = async () => await engine.planVerify(queue, onboarding);
      return answered(id, await challenges.answer(queue, onboarding.job, code, actor.name, plan));
    });
  }

  /** Sends another OTP in the place of the one that is awaited; the job that sends it. Throws SatyapanError with the reason. */
  async resend(id: string): Promise<{ readonly id: string; readonly send: string }> {
    const { actor } = this.#deps;
    return await this.#use(async (opened, { store, challenges, engine }) => {
      const found = await this.#tryFind(store, id);
      if (found === null) return { id, send: await challenges.resend(await queueOfSend(opened, id), id, actor.name) };
      const { queue, onboarding } = found;
      if (onboarding.state !== "awaiting_otp") throw challengeOver(id, { kind: "over", about: onboarding.state });
      const send = await challenges.resend(queue, onboarding.job, actor.name);
      await engine.advance(queue, id);
      return { id, send };
    });
  }

  /** Where the challenge of a send or of an onboarding stands; null: none is awaited. */
  async challenge(id: string): Promise<ChallengeRecord | null> {
    return await this.#use(async (opened, { store, challenges }) => {
      const found = await this.#tryFind(store, id);
      if (found !== null) return (await withChallenge(challenges, found.queue, found.onboarding)).challenge;
      const queue = await queueOfSend(opened, id);
      const challenge = await challenges.get(queue, await challenges.newest(queue, id));
      return challenge === null ? null : challengeRecord(challenge);
    });
  }

  /** A code that was given before gives the same answer after the end, too. */
  async #knownAnswer(queue: QueueName, { job, done }: Onboarding, challenges: Challenges, code: string) {
    for (const send of new Set([job, ...done.map((one) => one.job)])) {
      const verify = await challenges.verifyOf(queue, send, code);
      if (verify !== null) return { verify, isSame: true };
    }
    return null;
  }

  async #get(id: string): Promise<OnboardingRecord | null> {
    return await this.#use(async (_opened, { store, challenges }) => {
      const found = await this.#tryFind(store, id);
      return found === null ? null : await withChallenge(challenges, found.queue, found.onboarding);
    });
  }

  async #find(store: OnboardingStore, id: string) {
    const found = await this.#tryFind(store, id);
    if (found === null) throw challengeOver(id, { kind: "missing" });
    return found;
  }

  async #tryFind(store: OnboardingStore, id: string): Promise<{ queue: QueueName; onboarding: Onboarding } | null> {
    for (const queue of QUEUES) {
      const onboarding = await store.get(queue, id);
      if (onboarding !== null) return { queue, onboarding };
    }
    return null;
  }

  #now(): number {
    return this.#deps.connections.clock.now();
  }

  async #use<T>(work: (opened: ClientConnections, rooms: Rooms) => Promise<T>): Promise<T> {
    const { settings, connections } = this.#deps;
    return await connections.use(async (opened) => {
      const { redis, records, queues, dataKeys } = opened;
      const store = new OnboardingStore(redis, settings.retention);
      const deps = {
        ...{ redis, records, queues, dataKeys, settings, subjectKey: settings.subjectKey },
        ...{ cooldownMs: settings.otp.cooldownMs, now: () => connections.clock.now() },
      };
      const challenges = new Challenges(deps);
      const held = async (queue: QueueName, onboarding: Onboarding) => await isHeld(redis, queue, onboarding);
      const engine = new Engine({ ...deps, onboardings: store, challenges, isHeld: held });
      return await work(opened, { store, challenges, engine });
    });
  }
}

async function withChallenge(
  challenges: Challenges,
  queue: QueueName,
  onboarding: Onboarding,
): Promise<OnboardingRecord> {
  const isAwaited = onboarding.state === "awaiting_otp";
  return onboardingRecord(onboarding, isAwaited ? await challenges.get(queue, onboarding.job) : null);
}

async function queueOfSend({ records }: ClientConnections, id: string): Promise<QueueName> {
  for (const queue of QUEUES) {
    const [state = null] = await records.states(queue, [id]);
    if (state !== null) return queue;
  }
  throw challengeOver(id, { kind: "missing" });
}

function answered(
  id: string,
  { verify, isSame }: { readonly verify: string | null; readonly isSame: boolean },
): AnswerRecord {
  return { id, answer: verify === null ? "kept" : isSame ? "same" : "begun", verify };
}

/** No operation takes another form; which takes how many digits is checked when it is given. */
function checkCode(code: string): void {
  if (/^\d{4,8}$/.test(code)) return;
  throw new SatyapanError(ErrorCode.BAD_INPUT, "code: must be 4 to 8 digits, as text");
}

function checkOnboardingId(id: string): string {
  checkOwnId(id);
  if (id.length <= LONGEST_ONBOARDING_ID) return id;
  const message = `id: at most ${LONGEST_ONBOARDING_ID} characters, because the ids of its steps' jobs are made of it`;
  throw new SatyapanError(ErrorCode.BAD_INPUT, message);
}

function idConflict(id: string): SatyapanError {
  return new SatyapanError(
    ErrorCode.ID_CONFLICT,
    `id: ${id} names an onboarding with another flow or input; choose another id`,
  );
}
