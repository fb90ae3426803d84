import { queueOf } from "../src/queues/names.ts";
import type { Ids } from "../src/records/ids.ts";
import type { ChildOptions } from "./child.ts";
import type { OwnCommands } from "./store.ts";

/** The queue of all sides. */
export const QUEUE = queueOf("eko");

/** A made-up person whom a job is about. */
export interface Person {
  /** 10 digits. */
  readonly mobile: string;
  /** Tells the jobs of a round apart, on the wire too; of one length. */
  readonly cspId: string;
}

/** Where a side works. */
export interface Place {
  /** Where its jobs are kept (`Store`). */
  readonly store: string;
  /** A folder of its own. */
  readonly folder: string;
  /** Scheme, host and port of the HTTP server. */
  readonly origin: string;
  readonly concurrency: number;
}

/** What is compared: how jobs are made, and who works them off. */
export interface Side {
  /** The program of the worker's process. */
  readonly worker: Pick<ChildOptions, "module" | "args" | "env">;
  submit(person: Person): Promise<void>;
  submitMany(persons: readonly Person[]): Promise<void>;
  /** Resolves when what those jobs leave to be done later is done, too, with the commands that this took; absent: nothing. */
  readonly aftermath?: () => Promise<OwnCommands>;
  /** Throws unless every job that was submitted has succeeded. */
  assertAllDone(): Promise<void>;
  close(): Promise<void>;
}

/** Jobs in one chunk, where a side takes many at once (facts/bullmq §1.8). */
export const CHUNK = 500;

/** What all post, so that the same number of bytes is on the wire. */
export const CALL = {
  path: "/ekoicici/v3/tools/kyc/mobile/otp",
  developerKey: "bench-developer-key",
  initiatorId: "9999999999",
} as const;

/** Headers as long as Satyapan's; nothing is signed. */
export const HEADERS = {
  developer_key: CALL.developerKey,
  "secret-key": Buffer.alloc(32).toString("base64"),
  "secret-key-timestamp": "1700000000000",
  "content-type": "application/json",
} as const;

/** A job of those who do nothing but post it. */
export interface PlainJob {
  /** The request's body, ready to be posted. */
  readonly body: string;
}

/** A job with a body as long as Satyapan's, field by field. */
export function plainJob({ mobile, cspId }: Person, ids: Ids): PlainJob {
  const body = { initiator_id: CALL.initiatorId, client_ref_id: ids.reference(Date.now()), csp_id: cspId, mobile };
  return { body: JSON.stringify(body) };
}

/** Distinct numbers from a running one: `6000000007`. */
export function person(n: number): Person {
  const digits = String(n).padStart(9, "0");
  return { mobile: `6${digits}`, cspId: `b-${digits}` };
}
