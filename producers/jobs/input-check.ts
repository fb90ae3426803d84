import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { Settings } from "../../src/config/settings.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import type { Opener } from "../../src/privacy/sealing/opener.ts";
import { parseInput } from "../../src/operations/entry-rules.ts";
import { type FieldProblem, InputError } from "../../src/operations/input-error.ts";
import type { Operation } from "../../src/operations/operation.ts";
import type { OpenInput } from "../../src/providers/call.ts";
import { resolveOf, type SentJob } from "../../src/operations/resolve-of.ts";
import { type QueueName, queueOf, QUEUES } from "../../src/queues/names.ts";
import { parseRecord } from "../../src/records/parse-record.ts";
import { isTerminal, type JobState } from "../../src/outcomes/state.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { unpackJob } from "../../src/records/stored-job.ts";
import { challengeDeadline } from "../../src/outcomes/challenge.ts";
import { openInput, openPersonal } from "../../src/records/sealed-input.ts";

export interface InputProblem {
  /** Position of the input in the list that was given, from 0. */
  readonly index: number;
  /** `field: what is wrong`, without the value. */
  readonly message: string;
  /** The same, one by one. */
  readonly fields: readonly FieldProblem[];
}

/** Some of many inputs are wrong; none was accepted. */
export class InputsError extends SatyapanError {
  readonly problems: readonly InputProblem[];

  constructor(problems: readonly InputProblem[], of: number) {
    const [first] = problems;
    const where = first === undefined ? "" : `; the first is number ${first.index + 1}: ${first.message}`;
    super(ErrorCode.BAD_INPUT, `${problems.length} of ${of} inputs are wrong, so none was submitted${where}`);
    this.problems = problems;
  }
}

/** An input that may enter: complete, its secrets as `Secret`. */
export interface CheckedInput {
  readonly operation: Operation;
  readonly input: OpenInput;
  /** The `client_ref_id` that every attempt has to use, or null: a mobile verify re-uses its send's (design §2). */
  readonly clientRefId: string | null;
  /** Id of the send whose OTP it answers, or null. */
  readonly of: string | null;
  /** A verify dies with the OTP that it answers: ms since the epoch; null where that is not known. */
  readonly deadline: number | null;
  /** The same verify, submitted before under the caller's own id, whose send's input is no longer kept; null: none. */
  readonly known: JobRecord | null;
}

export interface InputCheckDeps {
  /** A record's stored fields, or null: asked for only where an input has `of`. */
  readonly fields: (queue: QueueName, id: string) => Promise<Readonly<Record<string, string>> | null>;
  readonly opener: (texts: readonly string[]) => Promise<Opener>;
  readonly settings: Settings;
  readonly now: () => number;
}

/** Everything a producer sends is checked here, before anything of it is kept (design §4 rule 4). */
export class InputCheck {
  readonly #deps: InputCheckDeps;

  constructor(deps: InputCheckDeps) {
    this.#deps = deps;
  }

  /** `ownId`: the caller's own, or null. Throws SatyapanError `unknown-operation`, or InputError naming each bad field. */
  async check(operationName: string, raw: unknown, ownId: string | null): Promise<CheckedInput> {
    const operation = findOperation(operationName);
    const { settings, now } = this.#deps;
    const { aadhaarChecksum, consentRequired } = settings;
    const rules = { now: now(), aadhaarChecksum, consentRequired };
    let input = parseInput(operation, raw, rules);
    let deadline = null;
    const of = input["of"];
    if (typeof of === "string" && operation.of !== undefined) {
      const sent = await this.#sentJob(of, operation.of.send);
      if (sent === null) {
        const known = ownId === null ? null : await this.#submittedBefore(operation, ownId, of);
        if (known === null) throw otpOver();
        return { operation, input: {}, clientRefId: null, of, deadline, known };
      }
      input = parseInput(operation, resolveOf(operation, raw as Record<string, unknown>, sent), rules);
      deadline = challengeDeadline(sent.result, sent.sentAt);
    }
    const clientRefId = input["client_ref_id"];
    return {
      operation,
      input,
      clientRefId: typeof clientRefId === "string" ? clientRefId : null,
      of: typeof of === "string" ? of : null,
      deadline,
      known: null,
    };
  }

  /** Checks all before it answers for any; `ownIds`, one each. Throws InputsError with every bad one. */
  async checkAll(
    operationName: string,
    raws: readonly unknown[],
    ownIds: readonly (string | null)[],
  ): Promise<CheckedInput[]> {
    const checked: CheckedInput[] = [];
    const problems: InputProblem[] = [];
    for (const [index, raw] of raws.entries()) {
      try {
        checked.push(await this.check(operationName, raw, ownIds[index] ?? null));
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        problems.push({ index, message: error.message, fields: error.fields });
      }
    }
    if (problems.length > 0) throw new InputsError(problems, raws.length);
    return checked;
  }

  /** The job of that id, if it was submitted for the same send: it is given back whatever became of its send since. */
  async #submittedBefore(operation: Operation, id: string, of: string): Promise<JobRecord | null> {
    const fields = await this.#deps.fields(queueOf(operation.provider), id);
    const job = fields === null ? null : unpackJob(fields["job"] ?? "");
    return fields !== null && job?.operation === operation.name && job.of === of ? parseRecord(id, fields) : null;
  }

  /** The send that a verify belongs to: it must have sent its OTP. Null: its input is no longer kept. */
  async #sentJob(id: string, send: string): Promise<(SentJob & { readonly sentAt: number }) | null> {
    const refuse = (message: string): InputError => new InputError([{ field: "of", message }]);
    for (const queue of QUEUES) {
      const fields = await this.#deps.fields(queue, id);
      if (fields === null) continue;
      const record = parseRecord(id, fields);
      if (record.operation !== send) throw refuse(`must name a job of ${send}, and that one is of ${record.operation}`);
      // Where somebody settled it as succeeded, its last attempt is the one that was in doubt.
      const attempt =
        record.state === "succeeded"
          ? record.attempts.at(-1)
          : record.attempts.findLast(({ outcome }) => outcome?.kind === "succeeded");
      if (attempt === undefined) throw refuse(notSent(record.state));
      const { input } = fields;
      if (input === undefined) return null;
      const operation = findOperation(send);
      const { personal: sealed } = fields;
      const opener = await this.#deps.opener([input, sealed ?? ""]);
      const personal = sealed === undefined ? {} : openPersonal(opener, operation, id, sealed);
      return {
        input: openInput(opener, operation, id, input),
        result: { ...personal, ...record.result },
        clientRefId: attempt.client_ref_id,
        sentAt: Date.parse(attempt.ended_at ?? attempt.started_at),
      };
    }
    throw refuse("there is no such job, or its record is past its retention");
  }
}

function otpOver(): InputError {
  const message = "its OTP can no longer be answered: its time is over, or it was answered";
  return new InputError([{ field: "of", message }]);
}

function notSent(state: JobState): string {
  const remedy = isTerminal(state) ? "submit a new send, and name that" : "wait until it has";
  return `that job has not sent an OTP: it is ${state}; ${remedy}`;
}
