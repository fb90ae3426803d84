import { queueOf } from "../src/queues/names.ts";
import type { ChildOptions } from "./child.ts";

/** The queue of both sides. */
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
  /** Path of Redis' Unix socket. */
  readonly redis: string;
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
  /** Throws unless every job that was submitted has succeeded. */
  assertAllDone(): Promise<void>;
  close(): Promise<void>;
}

/** What both post, so that the same number of bytes is on the wire. */
export const CALL = {
  path: "/ekoicici/v3/tools/kyc/mobile/otp",
  developerKey: "bench-developer-key",
  initiatorId: "9999999999",
} as const;

/** Distinct numbers from a running one: `6000000007`. */
export function person(n: number): Person {
  const digits = String(n).padStart(9, "0");
  return { mobile: `6${digits}`, cspId: `b-${digits}` };
}
