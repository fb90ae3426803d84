import { parseDuration } from "../../src/base/duration.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { Actor } from "../base/actor.ts";
import { findPersonal } from "../../src/secrets/find-personal.ts";
import type { Flow } from "../../src/flows/flow.ts";
import type { Operation } from "../../src/operations/operation.ts";
import { findFlow } from "../../src/flows/flows.ts";
import { findOperation } from "../../src/operations/catalogue.ts";
import { type QueueName, queueOf } from "../../src/queues/names.ts";
import { MOST_SENDS } from "../../src/outcomes/challenge.ts";
import type { BatchTarget, BatchTerms } from "../../src/batches/batch.ts";

/** What each row runs: one call, or one person's whole onboarding. */
export type BatchRuns =
  { readonly operation: string; readonly flow?: never } | { readonly flow: string; readonly operation?: never };

/** How a batch is to run, as its caller says it. */
export type BatchOptions = BatchRuns & BatchWishes;

export interface BatchWishes {
  /** What people call it: up to 64 characters. Default: the day and time. */
  readonly name?: string;
  /** The caller's own id: the same one twice gives the first batch back. Default: its content says whether it is the same. */
  readonly id?: string;
  /** Whose it is. Default `default`. */
  readonly tenant?: string;
  /** Its share against its tenant's other batches, 0.01 to 100. Default 1. */
  readonly weight?: number;
  /** Stops by itself when more than this part of its rows failed or were rejected, over 0 to 1; null: never. Default 0.3. */
  readonly stopAt?: number | null;
  /** A row's deadline from when it is handed to the queue: a duration such as `"10m"`, or ms. Default: none. */
  readonly expiresIn?: string | number;
  /** Of a flow: the most challenges that are open at once, so that a code goes to nobody whom nobody talks to. Default: any number. */
  readonly open?: number | null;
  /** Of a flow: how often a row goes back to the end of the batch whose code nobody gave, 0 to 2. Default 0. */
  readonly resends?: number;
}

const DEFAULT_STOP_AT = 0.3;
const MOST_OPEN = 100_000;

/** Throws SatyapanError `bad-input` naming the option, `unknown-operation`, or `unknown-flow`. */
export function batchTerms(options: BatchOptions, { name: submittedBy, now: clock }: Actor): BatchTerms {
  const now = clock();
  const { tenant = "default", weight = 1, stopAt = DEFAULT_STOP_AT, expiresIn } = options;
  const name = options.name ?? new Date(now).toISOString().slice(0, 16).replace("T", " ");
  checkWords("name", name, 64);
  checkTenant(tenant);
  checkWeight(weight);
  if (stopAt !== null && !(stopAt > 0 && stopAt <= 1)) throw bad("stopAt: must be over 0 and at most 1, or null");
  const expiresInMs =
    typeof expiresIn === "string" ? parseDuration(expiresIn, "expiresIn", ErrorCode.BAD_INPUT) : (expiresIn ?? null);
  if (expiresInMs !== null && !(expiresInMs > 0)) throw bad("expiresIn: must be a time to come, such as 10m");
  const target = targetOf(options);
  const { open = null, resends = 0 } = options;
  if (target.kind === "operation" && (open !== null || resends !== 0))
    throw bad("open, resends: only a flow awaits codes; an operation's row ends with its call");
  // Each asks with another OTP, and a person gets so many.
  if (!Number.isInteger(resends) || resends < 0 || resends >= MOST_SENDS)
    throw bad(`resends: must be 0 to ${MOST_SENDS - 1}`);
  return {
    ...{ name, target, tenant, weight, stopAt, expiresInMs },
    ...{ openLimit: open === null ? null : checkOpen(open), resends, submittedBy },
  };
}

export function checkTenant(tenant: string): void {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(tenant)) throw bad("tenant: 1 to 64 characters of A-Z a-z 0-9 . _ - are allowed");
  checkWords("tenant", tenant, 64);
}

export function checkWeight(weight: number): number {
  if (weight >= 0.01 && weight <= 100) return weight;
  throw bad("weight: must be a number from 0.01 to 100");
}

export function checkOpen(open: number): number {
  if (Number.isInteger(open) && open >= 1 && open <= MOST_OPEN) return open;
  throw bad(`open: must be a whole number from 1 to ${MOST_OPEN}`);
}

/** The queue that a target's rows go through. */
export function queueOfTarget(target: BatchTarget): QueueName {
  return queueOf(ownerOf(target).provider);
}

/** Whose input a row is. */
export function ownerOf({ kind, name }: BatchTarget): Flow | Operation {
  return kind === "flow" ? findFlow(name) : findOperation(name);
}

/** Throws SatyapanError `bad-input`, `unknown-operation`, or `unknown-flow`. */
export function targetOf({ operation, flow }: { readonly operation?: string; readonly flow?: string }): BatchTarget {
  if ((operation === undefined) === (flow === undefined)) {
    throw bad("operation, flow: say what each row is to run, either by the name of an operation or by that of a flow");
  }
  return operation === undefined ? { kind: "flow", name: findFlow(flow ?? "").name } : operationTarget(operation);
}

function operationTarget(name: string): BatchTarget {
  const operation = findOperation(name);
  if (operation.step === "verify") {
    const message = `operation: the rows of a batch run when their turn comes, and an OTP does not live as long: submit ${name} with \`satyapan submit --each\``;
    throw bad(message);
  }
  return { kind: "operation", name };
}

/** Kept and shown in clear, so nothing personal. */
function checkWords(field: string, text: string, most: number): void {
  if (text.trim() === "" || text.length > most) throw bad(`${field}: must be 1 to ${most} characters`);
  if (/\p{Cc}/u.test(text)) throw bad(`${field}: must be one line of text`);
  const personal = findPersonal(text);
  if (personal !== null) throw bad(`${field}: holds what looks like ${personal}, and it is kept in clear`);
}

function bad(message: string): SatyapanError {
  return new SatyapanError(ErrorCode.BAD_INPUT, message);
}
