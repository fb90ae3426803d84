import { ErrorCode, SatyapanError } from "../base/error.ts";
import { type CheckedInput, InputCheck } from "../entry/input-check.ts";
import { Entrance, type EntranceDeps } from "../entry/entrance.ts";
import { findOperation, OPERATIONS } from "../operations/catalogue.ts";
import type { Operation } from "../operations/operation.ts";
import type { EntrySettings } from "../operations/settings.ts";
import { MOST_SENDS } from "../outcomes/challenge.ts";
import { OPEN_STATES } from "../outcomes/state.ts";
import { clearValues } from "../privacy/sealing/clear-values.ts";
import { dayScope, resultScope } from "../privacy/sealing/data-key.ts";
import type { DataKeys } from "../privacy/keys/data-keys.ts";
import { queuePrefix, type QueueName, recordKey } from "../queues/names.ts";
import { parseParent, PARENT_KINDS } from "../records/parent.ts";
import type { RecordStore } from "../records/record-store.ts";
import { openInput } from "../records/sealed-input.ts";
import { unpackJob } from "../records/stored-job.ts";
import type { RedisClient } from "../redis/connection.ts";
import { inputDigest } from "../secrets/subject-key.ts";
import { type Challenge, challengeOf, nextSendId, sendNumber, verifyName } from "./challenge.ts";
import { challengeOver } from "./refusals.ts";
import { ANSWER, KEEP_EARLY, RESEND } from "./scripts.ts";

export interface ChallengesDeps extends EntranceDeps {
  readonly redis: RedisClient;
  readonly records: RecordStore;
  readonly dataKeys: DataKeys;
  readonly settings: EntrySettings;
  /** `OTP_COOLDOWN`, ms. */
  readonly cooldownMs: number;
}

type Fields = Readonly<Record<string, string>>;

/** How the verify of a code is made where it is not the send's own. */
export interface VerifyPlan {
  readonly operation: Operation;
  /** Its input but for the code, in clear. */
  readonly input: Readonly<Record<string, unknown>>;
  readonly parent: string | null;
}

/** `verify`: the job that tells whether the code was right; null: it is kept until the OTP is sent. */
export interface Answered {
  readonly verify: string | null;
  /** The same code was given before: nothing was begun. */
  readonly isSame: boolean;
}

/** What a code is sealed for while it waits, besides its job. */
const EARLY = "early";
/** Sends that may stand between a challenge's first and its newest. */
const MOST_HOPS = MOST_SENDS + 1;

/** Answers challenges, and sends other OTPs in their place. */
export class Challenges {
  readonly #deps: ChallengesDeps;
  readonly #check: InputCheck;
  readonly #entrance: Entrance;

  constructor(deps: ChallengesDeps) {
    this.#deps = deps;
    const { records, dataKeys, settings, now } = deps;
    this.#check = new InputCheck({
      fieldsOfMany: async (queue, ids) => await records.fieldsOfMany(queue, ids),
      opener: async (texts) => await dataKeys.opener(texts),
      ...{ settings, now },
    });
    this.#entrance = new Entrance(deps);
  }

  /** Where the challenge of this send stands; null: there is no such record. */
  async get(queue: QueueName, send: string): Promise<Challenge | null> {
    const fields = await this.#deps.records.fields(queue, send);
    return fields === null ? null : await this.#challenge(queue, send, fields);
  }

  /** The newest send of the challenge that this send began. */
  async newest(queue: QueueName, send: string): Promise<string> {
    let id = send;
    for (let hops = 0; hops < MOST_HOPS; hops++) {
      const fields = await this.#deps.records.fields(queue, id);
      if (fields?.["replaced"] === undefined) break;
      id = fields["replaced"];
    }
    return id;
  }

  /**
   * Has a code verified, in the interactive lane, once: the same one again gives the same verify. One that comes before the
   * OTP was sent is kept for minutes. `plan`: of the verify; default: of the operation that verifies this send, told to nobody.
   * @throws InputError for what is no code; SatyapanError `bad-input` where the challenge takes none, with the reason, or `id-conflict`
   */
  async answer(
    queue: QueueName,
    send: string,
    code: string,
    actor: string,
    plan: (fields: Fields) => Promise<VerifyPlan> = async (fields) => await this.#ownPlan(send, fields),
  ): Promise<Answered> {
    const { redis, records, now } = this.#deps;
    const fields = await records.fields(queue, send);
    if (fields === null) throw challengeOver(send, { kind: sendNumber(send).n > 1 ? "lost" : "missing" });
    const challenge = await this.#challenge(queue, send, fields);
    if (challenge.state === "early" && (await this.keepEarly(queue, send, recordKey(queue, send), code))) {
      return { verify: null, isSame: false };
    }
    if (challenge.state === "early") return await this.answer(queue, send, code, actor, plan);
    const name = verifyName(send);
    if (name === null) throw challengeOver(send, { kind: "long" });
    // What is no code at all costs no try.
    const { operation, input, parent } = await plan(fields);
    const hash = this.#hash(send, code);
    const checked = await this.#checked(operation, { ...input, otp: code }, challenge, hash, fields);
    const part = parent === null ? null : parseParent(parent);
    const args = {
      ...{ prefix: queuePrefix(queue), hash, now: now(), deadline: challenge.deadline ?? 0, verify_name: name },
      onboarding: part?.kind === PARENT_KINDS.onboarding ? part.of : null,
    };
    const [answer, about = ""] = (await ANSWER.run(redis, [recordKey(queue, send)], args)) as [string, string?];
    switch (answer) {
      case "replaced":
        return await this.answer(queue, about, code, actor, plan);
      case "same":
      case "go": {
        const known = answer === "same" ? await records.fields(queue, about) : null;
        if (known !== null && unpackJob(known["job"] ?? "").of !== send) throw taken(about);
        if (checked !== null && known === null) {
          const terms = {
            id: about,
            lane: "interactive",
            expiresAt: challenge.deadline,
            scope: dayScope(now()),
          } as const;
          const verify = { ...checked, of: send, deadline: challenge.deadline };
          if ((await this.#entrance.enter(verify, { ...terms, actor, parent })) === "conflict") throw taken(about);
        } else if (checked !== null) await this.#entrance.queue(operation, about, "interactive");
        return { verify: about, isSame: answer === "same" };
      }
      case "busy":
      case "answered":
      case "late":
      case "tries":
      case "missing":
        throw challengeOver(send, { kind: answer, about });
      case "state":
      case "over":
        throw challengeOver(send, { kind: answer, about });
      default:
        throw new TypeError(`the answer script said ${answer}`);
    }
  }

  /** The verify of a code that was given for this send before, or null. */
  async verifyOf(queue: QueueName, send: string, code: string): Promise<string | null> {
    const fields = await this.#deps.records.fields(queue, send);
    const hash = this.#hash(send, code);
    const known = (fields?.["codes"] ?? "").split(",").map((entry) => entry.split(" "));
    return known.find(([given]) => given === hash)?.[1] ?? null;
  }

  /** Keeps a code until it is asked for by `early`, for minutes at most. False: the send has settled. */
  async keepEarly(queue: QueueName, id: string, key: string, code: string): Promise<boolean> {
    const { redis, dataKeys, now } = this.#deps;
    const sealer = await dataKeys.sealer(dayScope(now()));
    const sealed = sealer.seal(code, { operation: EARLY, jobId: id, field: "otp" });
    return (await KEEP_EARLY.run(redis, [key, earlyKey(queue, id)], { sealed })) === 1;
  }

  /** The code that came early, or null. It stays until it is over: what is made of it must survive a crash. */
  async early(queue: QueueName, id: string): Promise<string | null> {
    const { redis, dataKeys } = this.#deps;
    const sealed = await redis.get(earlyKey(queue, id));
    if (sealed === null) return null;
    const opener = await dataKeys.opener([sealed]);
    return opener.open(sealed, { operation: EARLY, jobId: id, field: "otp" });
  }

  async hasEarly(queue: QueueName, id: string): Promise<boolean> {
    return (await this.#deps.redis.exists(earlyKey(queue, id))) === 1;
  }

  async dropEarly(queue: QueueName, id: string): Promise<void> {
    await this.#deps.redis.del(earlyKey(queue, id));
  }

  /**
   * Sends another OTP in this one's place, once: its job's id. Not before the cooldown is over, nor while a code is checked.
   * @throws SatyapanError `bad-input` with the reason, or `id-conflict`
   */
  async resend(queue: QueueName, first: string, actor: string): Promise<string> {
    const { redis, records, dataKeys, cooldownMs, now } = this.#deps;
    const send = await this.newest(queue, first);
    const fields = await records.fields(queue, send);
    // Begun by somebody who was killed before it was recorded: its place is taken, its job is made now.
    const begun = fields === null && sendNumber(send).n > 1 ? await this.#before(queue, first, send) : null;
    const [from, source] = begun ?? [send, fields];
    if (source === null) throw challengeOver(send, { kind: "missing" });
    const { operation: name, lane, expiresAt } = unpackJob(source["job"] ?? "");
    const operation = findOperation(name);
    if (operation.step !== "send") throw challengeOver(send, { kind: "no-send" });
    const challenge = await this.#challenge(queue, from, source);
    const next = nextSendId(from);
    if (challenge.sendsLeft === 0 || next === null) throw challengeOver(send, { kind: "sends" });
    const sealed = source["input"];
    if (sealed === undefined) throw challengeOver(send, { kind: "late" });
    const opener = await dataKeys.opener([sealed]);
    const input = openInput(opener, operation, from, sealed);
    const args = { prefix: queuePrefix(queue), not_before: challenge.resendFrom ?? 0, now: now(), next_send: next };
    const [answer, about = ""] = (await RESEND.run(redis, [recordKey(queue, from)], args)) as [string, string?];
    switch (answer) {
      case "go":
      case "same": {
        const checked = await this.#check.check(name, clearValues(input), null);
        const scope = resultScope(opener.scopeOf(sealed), now());
        const parent = source["parent"] ?? null;
        const entered = await this.#entrance.enter(checked, { id: next, lane, expiresAt, scope, actor, parent });
        if (entered === "conflict") throw taken(next);
        await this.dropEarly(queue, from);
        return next;
      }
      case "early":
        throw challengeOver(send, { kind: "cooldown", about: String(challenge.resendFrom ?? cooldownMs) });
      case "busy":
      case "answered":
      case "missing":
        throw challengeOver(send, { kind: answer, about });
      case "state":
        throw challengeOver(send, { kind: "state", about });
      default:
        throw new TypeError(`the resend script said ${answer}`);
    }
  }

  /** The send before `next` in the chain that `first` began, with its fields. */
  async #before(queue: QueueName, first: string, next: string): Promise<[string, Fields | null]> {
    let id = first;
    for (let hops = 0; hops < MOST_HOPS; hops++) {
      const fields = await this.#deps.records.fields(queue, id);
      if (fields?.["replaced"] === undefined || fields["replaced"] === next) return [id, fields];
      id = fields["replaced"];
    }
    return [id, null];
  }

  /** Null: the code was given before, and what its verify takes of the send is kept no longer. */
  async #checked(
    operation: Operation,
    raw: Readonly<Record<string, unknown>>,
    { state }: Challenge,
    hash: string,
    fields: Fields,
  ): Promise<CheckedInput | null> {
    const isKnown = (fields["codes"] ?? "").includes(`${hash} `);
    if (isKnown && state !== "open" && state !== "checking") return null;
    // Said in the challenge's own words rather than in those of a field.
    if (state === "answered" || state === "replaced" || state === "not-sent" || state === "over") {
      return await this.#check.check(operation.name, raw, null).catch(() => null);
    }
    return await this.#check.check(operation.name, raw, null);
  }

  #hash(send: string, code: string): string {
    return inputDigest(this.#deps.subjectKey, "satyapan/code", { send, code });
  }

  async #ownPlan(send: string, fields: Fields): Promise<VerifyPlan> {
    const sent = unpackJob(fields["job"] ?? "").operation;
    const operation = OPERATIONS.find(({ of }) => of?.send === sent);
    if (operation === undefined) throw challengeOver(send, { kind: "no-send" });
    return await Promise.resolve({ operation, input: { of: send }, parent: null });
  }

  async #challenge(queue: QueueName, send: string, fields: Fields): Promise<Challenge> {
    const { records, now, cooldownMs } = this.#deps;
    const facts = { now: now(), cooldownMs, isChecking: false };
    const challenge = challengeOf(send, fields, facts);
    if (challenge.verify === null || challenge.state !== "open") return challenge;
    const [state = null] = await records.states(queue, [challenge.verify]);
    const isChecking = state !== null && (state === "unknown" || OPEN_STATES.some((open) => open === state));
    return challengeOf(send, fields, { ...facts, isChecking });
  }
}

/** Ids are derived from the send's, so somebody else has used the name. */
function taken(id: string): SatyapanError {
  const message = `the id ${id} names another job, so nothing was called: look at it with \`satyapan show ${id}\``;
  return new SatyapanError(ErrorCode.ID_CONFLICT, message);
}

/** A code that came before its send had settled, sealed; its own time takes it away. */
function earlyKey(queue: QueueName, id: string): string {
  return `${queuePrefix(queue)}early:${id}`;
}
