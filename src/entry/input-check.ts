import type { EntrySettings } from "../operations/settings.ts";
import { findOperation } from "../operations/catalogue.ts";
import type { Opener } from "../privacy/sealing/opener.ts";
import { parseInput } from "../operations/entry-rules.ts";
import { InputError } from "../operations/input-error.ts";
import type { Operation } from "../operations/operation.ts";
import type { OpenInput } from "../providers/call.ts";
import { resolveOf, type SentJob } from "../operations/resolve-of.ts";
import { type QueueName, queueOf, QUEUES } from "../queues/names.ts";
import { parseRecord } from "../records/parse-record.ts";
import { isTerminal, type JobState } from "../outcomes/state.ts";
import type { JobRecord } from "../records/record.ts";
import { unpackJob } from "../records/stored-job.ts";
import { challengeDeadline } from "../outcomes/challenge.ts";
import type { JobInput } from "../records/new-job.ts";
import { openInput, openPersonal } from "../records/sealed-input.ts";

/** An input that may enter, and what is known of it. */
export interface CheckedInput extends JobInput {
  /** The same verify, submitted before under the caller's own id, whose send's input is no longer kept; null: none. */
  readonly known: JobRecord | null;
}

type Fields = Readonly<Record<string, string>>;

export interface InputCheckDeps {
  /** Records' stored fields, null where there is none, in one round trip: asked for only where inputs have `of`. */
  readonly fieldsOfMany: (queue: QueueName, ids: readonly string[]) => Promise<(Fields | null)[]>;
  readonly opener: (texts: readonly string[]) => Promise<Opener>;
  readonly settings: EntrySettings;
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
    const [checked] = await this.checkAll(operationName, [raw], [ownId]);
    if (checked === undefined || checked instanceof InputError) throw checked ?? new TypeError("nothing was checked");
    return checked;
  }

  /**
   * Inputs of one operation, each as it may enter or with what is wrong with it; `ownIds`, one each. However many have `of`,
   * it takes two round trips at most.
   */
  async checkAll(
    operationName: string,
    raws: readonly unknown[],
    ownIds: readonly (string | null)[],
  ): Promise<(CheckedInput | InputError)[]> {
    const operation = findOperation(operationName);
    const { settings, now } = this.#deps;
    const { aadhaarChecksum, consentRequired } = settings;
    const door = { now: now(), aadhaarChecksum, consentRequired };
    const parsed = raws.map((raw) => orInputError(() => parseInput(operation, raw, door)));
    const ofs = parsed.flatMap((input) => (operation.of === undefined ? [] : (ofOf(input) ?? [])));
    const sends = await this.#stored(QUEUES, ofs);
    // An input whose send has lost its own may have been submitted before.
    const owns = parsed.flatMap((input, index) => {
      const send = sends.get(ofOf(input) ?? "");
      return send !== undefined && send["input"] === undefined ? (ownIds[index] ?? []) : [];
    });
    const before = await this.#stored([queueOf(operation.provider)], owns);
    const opener = await this.#openerOf([...sends.values()]);
    return parsed.map((input, index) =>
      orInputError(() => {
        if (input instanceof InputError) throw input;
        const of = ofOf(input);
        if (of === null || operation.of === undefined) return complete(operation, input, of, null);
        const sent = sentJob(opener, of, operation.of.send, sends.get(of));
        if (sent !== null) {
          const resolved = resolveOf(operation, raws[index] as Record<string, unknown>, sent);
          return complete(
            operation,
            parseInput(operation, resolved, door),
            of,
            challengeDeadline(sent.result, sent.sentAt),
          );
        }
        const id = ownIds[index] ?? null;
        const known = id === null ? null : submittedBefore(operation, id, of, before.get(id));
        if (known === null) throw otpOver();
        return { operation, input: {}, clientRefId: null, of, deadline: null, known };
      }),
    );
  }

  /** Those of these records that are there, by id. */
  async #stored(queues: readonly QueueName[], ids: readonly string[]): Promise<Map<string, Fields>> {
    const wanted = [...new Set(ids)];
    if (wanted.length === 0) return new Map();
    const found = await Promise.all(queues.map(async (queue) => await this.#deps.fieldsOfMany(queue, wanted)));
    return new Map(
      wanted.flatMap((id, index) => {
        const fields = found.map((list) => list[index] ?? null).find((one) => one !== null);
        return fields === undefined || fields === null ? [] : [[id, fields] as const];
      }),
    );
  }

  async #openerOf(sends: readonly Fields[]): Promise<Opener | null> {
    const sealed = sends.flatMap(({ input, personal }) => (input === undefined ? [] : [input, personal ?? ""]));
    return sealed.length === 0 ? null : await this.#deps.opener(sealed);
  }
}

function orInputError<T>(work: () => T): T | InputError {
  try {
    return work();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

/** The job that a parsed input names, or null. */
function ofOf(input: OpenInput | InputError): string | null {
  const of = input instanceof InputError ? undefined : input["of"];
  return typeof of === "string" ? of : null;
}

function complete(operation: Operation, input: OpenInput, of: string | null, deadline: number | null): CheckedInput {
  const clientRefId = input["client_ref_id"];
  return {
    ...{ operation, input, of, deadline, known: null },
    clientRefId: typeof clientRefId === "string" ? clientRefId : null,
  };
}

/** The job of that id, if it was submitted for the same send: it is given back whatever became of its send since. */
function submittedBefore(operation: Operation, id: string, of: string, fields: Fields | undefined): JobRecord | null {
  const job = fields === undefined ? null : unpackJob(fields["job"] ?? "");
  return fields !== undefined && job?.operation === operation.name && job.of === of ? parseRecord(id, fields) : null;
}

/** The send that a verify belongs to: it must have sent its OTP. Null: its input is no longer kept. */
function sentJob(
  opener: Opener | null,
  id: string,
  send: string,
  fields: Fields | undefined,
): (SentJob & { readonly sentAt: number }) | null {
  const refuse = (message: string): InputError => new InputError([{ field: "of", message }]);
  if (fields === undefined) throw refuse("there is no such job, or its record is past its retention");
  const record = parseRecord(id, fields);
  if (record.operation !== send) throw refuse(`must name a job of ${send}, and that one is of ${record.operation}`);
  // Where somebody settled it as succeeded, its last attempt is the one that was in doubt.
  const attempt =
    record.state === "succeeded"
      ? record.attempts.at(-1)
      : record.attempts.findLast(({ outcome }) => outcome?.kind === "succeeded");
  if (attempt === undefined) throw refuse(notSent(record.state));
  const { input, personal: sealed } = fields;
  if (input === undefined || opener === null) return null;
  const operation = findOperation(send);
  const personal = sealed === undefined ? {} : openPersonal(opener, operation, id, sealed);
  return {
    input: openInput(opener, operation, id, input),
    result: { ...personal, ...record.result },
    clientRefId: attempt.client_ref_id,
    sentAt: Date.parse(attempt.ended_at ?? attempt.started_at),
  };
}

function otpOver(): InputError {
  const message = "its OTP can no longer be answered: its time is over, or it was answered";
  return new InputError([{ field: "of", message }]);
}

function notSent(state: JobState): string {
  const remedy = isTerminal(state) ? "submit a new send, and name that" : "wait until it has";
  return `that job has not sent an OTP: it is ${state}; ${remedy}`;
}
