import type { RequestRecord } from "../simulator/request-log.ts";
import type { EndedRun } from "./runs.ts";

/** What is there to look at afterwards: what the stand-in saw, and what the batches say. */
export interface Seen {
  readonly requests: readonly RequestRecord[];
  readonly runs: readonly EndedRun[];
}

interface Sighting {
  readonly what: string;
  readonly count: (seen: Seen) => number;
}

/** The calls of one operation for one person, in order. */
type Calls = readonly RequestRecord[];

const isSent = ({ committed }: RequestRecord): boolean => committed === "otp-sent";

/** What a day with two providers and two hundred people brings, and the demo has to show. */
const SIGHTINGS: readonly Sighting[] = [
  {
    what: "Deepvue's 409 (an OTP is pending already), waited out, then sent",
    count: persons((calls) => calls.some(({ status }) => status === 409) && calls.some(isSent)),
  },
  {
    what: "no mobile number is linked to the Aadhaar: a final no, not asked again",
    count: persons((calls) => calls.length === 1 && calls[0]?.fault === "mobile-not-linked"),
  },
  {
    what: "a sender whom Eko did not know, created first",
    count: persons((calls) => calls.some(({ committed }) => committed === "sender-created")),
  },
  {
    what: 'Eko said "OTP sent" as status 2129, response_status_id 1',
    count: persons((calls) => calls.some((call) => isSent(call) && call.provider === "eko" && call.code === "2129")),
  },
  {
    what: 'Eko said "OTP sent" as status 0, response_status_id 0',
    count: persons((calls) => calls.some((call) => isSent(call) && call.provider === "eko" && call.code === "0")),
  },
  {
    what: "a temporary failure, tried again with backoff until the code was sent",
    count: persons((calls) => calls[0]?.fault === "temporary-failure" && calls.some(isSent)),
  },
  {
    what: "a connection that broke after Eko had sent the code: unknown, not repeated",
    count: persons((calls) => calls.length === 1 && calls[0]?.fault === "drop-after-commit" && calls.every(isSent)),
  },
  {
    what: "a code mistyped and refused; the right one accepted afterwards",
    count: persons((calls) => {
      const verified = calls.findIndex(({ committed }) => committed === "verified");
      return verified > 0 && calls[0]?.step === "verify";
    }),
  },
  {
    what: "three wrong codes: rejected",
    count: rows(({ state, code }) => state === "rejected" && (code ?? "").includes("302")),
  },
  {
    what: "nobody answered; asked again after all others, and answered then",
    count: rows(({ state, asked_again }) => state === "succeeded" && asked_again > 0),
  },
  {
    what: "nobody answered the second SMS either: expired",
    count: rows(({ state, asked_again }) => state === "expired" && asked_again > 0),
  },
];

/** How often each of them was met. */
export function sightings(seen: Seen): { readonly what: string; readonly count: number }[] {
  return SIGHTINGS.map(({ what, count }) => ({ what, count: count(seen) }));
}

/** Persons, each with the calls of one operation, of whom `test` is true. */
function persons(test: (calls: Calls) => boolean): Sighting["count"] {
  return ({ requests }) => {
    const groups = Map.groupBy(requests, ({ operation, person }) => `${operation} ${person}`);
    return [...groups.values()].filter(test).length;
  };
}

function rows(test: (result: EndedRun["results"][number]) => boolean): Sighting["count"] {
  return ({ runs }) => runs.flatMap(({ results }) => results).filter(test).length;
}
