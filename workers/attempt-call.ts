import type { Monotonic } from "../src/base/sleepless-clock.ts";
import type { Settings } from "../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../src/base/error.ts";
import { operationOfJob } from "../src/operations/catalogue.ts";
import type { Operation } from "../src/operations/operation.ts";
import type { OpenInput } from "../src/providers/call.ts";
import { NO_REPLY, type Outcome, type Result } from "../src/outcomes/outcome.ts";
import { resultScope } from "../src/privacy/sealing/data-key.ts";
import type { DataKeys } from "../src/privacy/keys/data-keys.ts";
import type { Sealer } from "../src/privacy/sealing/sealed-text.ts";
import type { HttpReply } from "../src/providers/http.ts";
import type { Journal } from "../src/records/journal.ts";
import { openInput } from "../src/records/sealed-input.ts";
import { Secret } from "../src/secrets/secret.ts";
import type { Logger } from "../src/telemetry/logger.ts";
import type { PreparedCall, Providers } from "./calls.ts";
import { Deadlines } from "./deadlines.ts";
import { giveBack, sendWithPermit, type TimedPermit } from "./fresh-permit.ts";
import type { FailPoint, OpenAttempt } from "./open-attempt.ts";
import type { TimedCall } from "./spans.ts";

/** What came of an attempt, before anything is decided by it. */
export type MadeCall =
  /** `sealer`: for its personal result. Its time is from the permit's wait to the reply. */
  | {
      readonly kind: "called";
      readonly input: OpenInput;
      readonly outcome: Outcome;
      readonly sealer: Sealer;
      readonly call: TimedCall;
    }
  /** Not a byte was written, which is not the job's fault: it is tried again at `until`, ms. */
  | { readonly kind: "not-made"; readonly reason: string; readonly until: number }
  /** It cannot be called, now or ever. */
  | { readonly kind: "impossible"; readonly error: SatyapanError };

export interface AttemptCallDeps {
  readonly journal: Pick<Journal, "giveBack" | "permit">;
  readonly settings: Pick<Settings, "calls">;
  readonly dataKeys: Pick<DataKeys, "opener" | "sealer">;
  readonly providers: Pick<Providers, "prepare">;
  readonly logger: Logger;
  readonly now: () => number;
  /** By which permits grow old. */
  readonly monotonic: Monotonic;
  /** Aborted when calls have to end at once. */
  readonly signal: AbortSignal;
  /** A job's sealed input came by whose key is not among this worker's; why, in a sentence. */
  readonly keyLacked: (sealed: string, why: string) => void;
  readonly atPoint?: ((point: FailPoint) => void) | undefined;
}

interface Prepared {
  readonly kind: "prepared";
  readonly input: OpenInput;
  readonly call: PreparedCall;
  readonly sealer: Sealer;
}

/** How soon another worker may try a job that this one has no key for, in ms. */
const OTHERS_MS = 1_000;

/** The call of an attempt: its input is opened, its request built and sent while the permit is good, its reply read. */
export class AttemptCall {
  readonly #deps: AttemptCallDeps;
  readonly #deadlines: Deadlines;

  constructor(deps: AttemptCallDeps) {
    this.#deps = deps;
    this.#deadlines = new Deadlines(deps.logger);
  }

  /** Gives the permit back where nothing is called. */
  async make(attempt: OpenAttempt, permit: TimedPermit): Promise<MadeCall> {
    const { journal, now, monotonic, atPoint } = this.#deps;
    const operation = operationOfJob(attempt.job.operation);
    const prepared = await this.#prepare(attempt, operation);
    if (prepared.kind !== "prepared") {
      await giveBack(journal, permit.id, attempt);
      return prepared;
    }
    atPoint?.("signed");
    // Redis' time, as far as it is known here, stands still while the machine sleeps until Redis is heard of again.
    const begunAt = now();
    const sentAt = Math.max(begunAt, attempt.startedAt + (monotonic() - permit.askedAt));
    const { expiresAt } = attempt.job;
    if (expiresAt !== null && sentAt >= expiresAt) {
      await giveBack(journal, permit.id, attempt);
      return { kind: "not-made", reason: "its deadline came before it could be sent", until: begunAt };
    }
    const { input, call, sealer } = prepared;
    const reply = await this.#send(attempt, call, permit, sentAt);
    atPoint?.("replied");
    const read = withMasks(readReply(operation, reply, input), input);
    const outcome = this.#deadlines.checked(read, operation.name, now());
    const wasSignedOffTime = reply.kind === "reply" && reply.wasSignedOffTime === true;
    const timed = { method: call.method, seconds: (now() - begunAt) / 1_000, wasSignedOffTime };
    return { kind: "called", input, outcome, sealer, call: timed };
  }

  async #prepare({ id, clientRefId, job }: OpenAttempt, operation: Operation): Promise<Prepared | MadeCall> {
    const { dataKeys, providers, now } = this.#deps;
    let isBuilt = false;
    try {
      const opener = await dataKeys.opener([job.input]);
      const input = openInput(opener, operation, id, job.input);
      const call = providers.prepare(operation, input, clientRefId);
      const scope = resultScope(opener.scopeOf(job.input), now());
      isBuilt = true;
      // Before the call: afterwards nothing may keep its result from being recorded.
      return { kind: "prepared", input, call, sealer: await dataKeys.sealer(scope) };
    } catch (error) {
      if (!(error instanceof SatyapanError)) throw error;
      if (error.code === ErrorCode.UNKNOWN_KEY) return this.#leftToOthers(job, error);
      // Whatever is wrong with the key for its result (retired, of a newer ring than ours): the job itself is sound.
      const isSound = isBuilt || error.code === ErrorCode.KEYS_UNREACHABLE;
      return isSound ? this.#putOff(job, error) : { kind: "impossible", error };
    }
  }

  async #send(
    { id, attemptToken, job, writing }: OpenAttempt,
    call: PreparedCall,
    permit: TimedPermit,
    sentAt: number,
  ): Promise<HttpReply> {
    const { journal, settings, signal, monotonic } = this.#deps;
    const source = { journal, id, attemptToken, subject: job.subject, writing, monotonic };
    // Another permit is not waited for past the job's deadline, either.
    const patienceMs = Math.min(settings.calls.timeoutMs, (job.expiresAt ?? Infinity) - sentAt);
    return await sendWithPermit(call, permit, source, patienceMs, signal);
  }

  /** This worker takes no more jobs, since it lacks a key that others have; they get this one soon. */
  #leftToOthers(job: OpenAttempt["job"], error: SatyapanError): MadeCall {
    const { settings, keyLacked } = this.#deps;
    keyLacked(job.input, error.message);
    return this.#putOff(job, error, Math.min(OTHERS_MS, settings.calls.backoffCapMs));
  }

  #putOff({ expiresAt }: OpenAttempt["job"], error: SatyapanError, forMs?: number): MadeCall {
    const { settings, now } = this.#deps;
    const until = Math.min(now() + (forMs ?? settings.calls.backoffCapMs), expiresAt ?? Number.MAX_SAFE_INTEGER);
    return { kind: "not-made", reason: `waits for the keys: ${error.message}`, until };
  }
}

/** A reply that breaks its reader is a reply that cannot be read, never a lost one. */
function readReply(operation: Operation, reply: HttpReply, input: OpenInput): Outcome {
  try {
    return operation.read(reply, input);
  } catch (error) {
    const cause = error instanceof Error ? error.name : typeof error;
    const reason = `no reply that can be read (${cause} in our reader)`;
    const http_status = reply.kind === "reply" ? reply.status : null;
    return { kind: "unknown", reason, reply: { ...NO_REPLY, http_status } };
  }
}

/** Adds the masked Aadhaar and mobile number, so that a result says whom it is about without telling the number. */
function withMasks(outcome: Outcome, input: OpenInput): Outcome {
  if (outcome.kind !== "succeeded") return outcome;
  const masks: Record<string, string> = {};
  for (const [field, value] of Object.entries(input)) {
    if (value instanceof Secret && value.maskName !== "hidden") masks[field] = value.toString();
  }
  const result: Result = { ...masks, ...outcome.result };
  return { ...outcome, result };
}
