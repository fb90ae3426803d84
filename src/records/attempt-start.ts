import type { RecordedOutcome } from "./record.ts";
import type { JobState } from "../outcomes/state.ts";
import { type StoredJob, unpackJob } from "./stored-job.ts";
import { Attempt, parseStoredJson } from "./stored-values.ts";
import type { WaitCause } from "../outcomes/wait-cause.ts";

/** What a worker learns when it takes a job. */
export interface TakenJob extends StoredJob {
  /** JSON of the sealed input. */
  readonly input: string;
  /** Attempts spent, 409s so far, sends repeated after `unknown`. */
  readonly used: number;
  readonly pendings: number;
  readonly resends: number;
}

/** An attempt as the journal stores it; times in ms. */
export interface StoredAttempt {
  readonly client_ref_id: string;
  readonly started: number;
  readonly ended?: number;
  readonly outcome?: RecordedOutcome;
}

/** A permit for one call, charged to every window of the quota. */
export interface Permit {
  /** Its name at the gate. */
  readonly id: string;
  /** Little of the quota is left, so it is good for a shorter time. */
  readonly scarce: boolean;
  /** The wait from when it was given until it is good, in ms. */
  readonly waitMs: number;
  /** Before it was asked for, on the monotonic clock of this process. */
  readonly askedAt: number;
  /** The server that gave it may not be the one that counts any more: it has to be asked for anew. */
  readonly isVoid?: true;
}

/** How a job stands whose deadline came: `unknown` where an earlier send of it may have happened. */
export type ExpiredState = "expired" | "unknown";

export type AttemptStart =
  | { readonly kind: "missing" }
  /** Its key holds something else than a record. */
  | { readonly kind: "no-record" }
  /** Its record cannot be read; `called`: an attempt is open, whose call may have been made. Nothing was opened or charged. */
  | { readonly kind: "broken"; readonly fields: string; readonly called: boolean }
  | { readonly kind: "settled"; readonly state: JobState }
  | { readonly kind: "expired"; readonly job: StoredJob; readonly state: ExpiredState }
  /** The job came back before its time (a worker died on the way to putting it away); times in ms. */
  | { readonly kind: "early"; readonly until: number }
  /** The gate is closed for it: nothing was opened or charged. */
  | { readonly kind: "blocked"; readonly cause: WaitCause; readonly until: number }
  /** Another ticket carries it, or an entry of its own. */
  | { readonly kind: "elsewhere" }
  /** The gate is closed for all until then, in ms; the job was not looked at. */
  | { readonly kind: "behind"; readonly until: number }
  /** Another worker opened an attempt and never closed it: its outcome is unknown. */
  | { readonly kind: "open"; readonly attemptToken: string; readonly attempt: StoredAttempt; readonly job: TakenJob }
  | {
      readonly kind: "run";
      /** The name of the attempt in the journal: its number, who opened it and when. */
      readonly attemptToken: string;
      readonly clientRefId: string;
      /** When the job was due, ms. */
      readonly dueAt: number;
      readonly permit: Permit;
      /** Made to see whether the provider is back, while it is held or its breaker is open. */
      readonly isProbe: boolean;
      readonly job: TakenJob;
    };

/** What was begun for the job that a fetch had put into hand. */
export interface FetchedStart {
  readonly id: string;
  readonly start: AttemptStart;
}

export interface BegunFetch {
  /** Null: no job with an entry of its own, or it has to be begun as ever. */
  readonly brought: FetchedStart | null;
  /** Attempts that the step had opened before its answer, and that of the fetch, was cut off: of jobs that nobody has. */
  readonly others: readonly FetchedStart[];
}

const NO_ATTEMPT: StoredAttempt = { client_ref_id: "unreadable", started: 0 };

/** What BEGIN answers for one job; `askedAt`: as of `Permit`. Throws TypeError for what it never answers. */
export function parseAttemptStart(reply: readonly string[], askedAt: number): AttemptStart {
  const [kind, first = "", second = "", ...rest] = reply;
  switch (kind) {
    case "missing":
    case "no-record":
    case "elsewhere":
      return { kind };
    case "broken":
      return { kind, fields: first, called: second !== "" };
    case "settled":
      return { kind, state: first as JobState };
    case "expired":
      return { kind, job: unpackJob(first), state: second as ExpiredState };
    case "early":
    case "behind":
      return { kind, until: Number(first) };
    case "blocked":
      return { kind, cause: first as WaitCause, until: Number(second) };
    case "open":
      // One that is garbled is closed all the same: whether its call was made is not known either way.
      return {
        kind,
        attemptToken: first,
        attempt: (parseStoredJson(Attempt, second) as StoredAttempt | undefined) ?? NO_ATTEMPT,
        job: takenJob(rest[0], rest[1], rest[2]),
      };
    case "run":
      return parseRun(first, askedAt);
    default:
      throw new TypeError(`the begin script answered ${kind ?? "nothing"}: ${first}`);
  }
}

function parseRun(text: string, askedAt: number): Extract<AttemptStart, { kind: "run" }> {
  const [attemptToken = "", clientRefId = "", due, scarce, id = "", wait, probe, spent, job, ...input] =
    text.split("\n");
  return {
    kind: "run",
    attemptToken,
    clientRefId,
    dueAt: Number(due),
    permit: { id, scarce: scarce === "scarce", waitMs: Number(wait), askedAt },
    isProbe: probe === "probe",
    job: takenJob(job, input.join("\n"), spent),
  };
}

function takenJob(text = "", input = "", spent = ""): TakenJob {
  const [used = 0, pendings = 0, resends = 0] = spent === "" ? [] : spent.split(" ").map(Number);
  return { ...unpackJob(text), input, used, pendings, resends };
}
