import { earlyCalls } from "../simulator/early-calls.ts";
import type { OutboxMessage } from "../simulator/outbox.ts";
import type { RequestRecord } from "../simulator/request-log.ts";
import { AHEAD_MS, QUOTA_MARGIN_MS } from "../src/limits/gate/margins.ts";
import type { Quota } from "../src/limits/quota.ts";
import { findOperation } from "../src/operations/catalogue.ts";
import type { JobRecord, RecordedAttempt } from "../src/records/record.ts";
import { isTerminal } from "../src/outcomes/state.ts";
import type { AcceptedJob } from "./accepted-job.ts";

/** What must never happen, however often processes die. */
export const RULES = {
  lost: "an accepted job without a record, or not settled in the end",
  unjournaled: "a call that the journal does not know, or knew only afterwards, or that was made twice",
  repeated: "an attempt after one that may have happened, where the operation's policy is to stop",
  "sent twice": "a person was sent an OTP twice by one job without a decision",
  cooldown: "a person was sent two OTPs within the cooldown",
  quota: "more calls in a window than the provider allows, none of them held up on its way beyond the margin",
  untrue: "a job's state says something else than the provider did",
  late: "a call after the job's deadline",
  archive: "an archived job that is not known as it was, or a run with --archive that tried none",
} as const;
export type Rule = keyof typeof RULES;

export interface Violation {
  /** One of `RULES`, or of `FLOW_RULES`. */
  readonly rule: string;
  /** Job, row, batch or provider; nothing about a person. */
  readonly where: string;
  readonly what: string;
}

/** Everything that is known after a run. */
export interface Evidence {
  readonly jobs: readonly AcceptedJob[];
  /** In the jobs' order. */
  readonly records: readonly (JobRecord | null)[];
  readonly requests: readonly RequestRecord[];
  readonly outbox: readonly OutboxMessage[];
  readonly quotas: Readonly<Record<"eko" | "deepvue", Quota>>;
  readonly cooldownMs: number;
}

/** A job with the calls that the provider saw of it. */
export interface Case {
  readonly job: AcceptedJob;
  readonly record: JobRecord | null;
  readonly calls: { readonly request: RequestRecord; readonly attempt: RecordedAttempt }[];
}

/** What is between the gate's clock and the arrival of a call, in ms. */
const TRAVEL_MS = 50;

export function judge(evidence: Evidence): Violation[] {
  const { cases, violations } = matchCalls(evidence);
  for (const one of cases) violations.push(...judgeCase(one, evidence));
  return [...violations, ...cooldowns(evidence), ...overruns(evidence, cases)];
}

/** Gives every call the provider saw to the one attempt it was made for. */
export function matchCalls({ jobs, records, requests }: Evidence): { cases: Case[]; violations: Violation[] } {
  const cases: Case[] = jobs.map((job, index) => ({ job, record: records[index] ?? null, calls: [] }));
  const byPerson = Map.groupBy(cases, ({ job }) => `${job.operation} ${job.person}`);
  const byReference = new Map<string, Case>();
  for (const one of cases) {
    for (const { client_ref_id } of one.record?.attempts ?? [])
      byReference.set(`${one.job.operation} ${client_ref_id}`, one);
  }
  const violations: Violation[] = [];
  for (const request of requests) {
    const { operation, person, client_ref_id, at } = request;
    // Cut off on the way, before anything of it could be read.
    if (person === null && client_ref_id === null && request.committed === null) continue;
    const named = client_ref_id === null ? undefined : byReference.get(`${operation} ${client_ref_id}`);
    const candidates = client_ref_id === null ? (byPerson.get(`${operation} ${person}`) ?? []) : named ? [named] : [];
    const found = attemptOf(candidates, request);
    if (found === null) {
      const where = candidates[0]?.job.id ?? operation ?? request.route;
      const what = `request ${request.seq} at ${new Date(at).toISOString()} (${client_ref_id ?? "no reference"})`;
      violations.push({ rule: "unjournaled", where, what });
    } else found.of.calls.push({ request, attempt: found.attempt });
  }
  return { cases, violations };
}

/**
 * The attempt that was under way when the call came; else the last one before it, whose worker was slow. Of two (jobs of
 * one person, and no reference on the wire) the shorter one: a long one was given up, perhaps before it called.
 */
function attemptOf(candidates: readonly Case[], request: RequestRecord): { of: Case; attempt: RecordedAttempt } | null {
  const free = candidates.flatMap((of) =>
    (of.record?.attempts ?? [])
      .filter((attempt) => request.client_ref_id === null || attempt.client_ref_id === request.client_ref_id)
      .filter((attempt) => Date.parse(attempt.started_at) <= request.at)
      .filter((attempt) => !of.calls.some((call) => call.attempt === attempt))
      .map((attempt) => ({ of, attempt })),
  );
  const during = free
    .filter(({ attempt }) => lastedMs(attempt) >= request.at - Date.parse(attempt.started_at))
    .toSorted((a, b) => lastedMs(a.attempt) - lastedMs(b.attempt));
  return during[0] ?? free.at(-1) ?? null;
}

function lastedMs({ started_at, ended_at }: RecordedAttempt): number {
  return ended_at === null ? Number.MAX_VALUE : Date.parse(ended_at) - Date.parse(started_at);
}

function* judgeCase({ job, record, calls }: Case, { outbox }: Evidence): Iterable<Violation> {
  const { id } = job;
  if (record === null || !isTerminal(record.state)) {
    const what = record === null ? "no record" : `still ${record.state}: ${record.reason}`;
    yield { rule: "lost", where: id, what };
    return;
  }
  const operation = findOperation(job.operation);
  const doubtful = record.attempts.findIndex(({ outcome }) => outcome === null || outcome.kind === "unknown");
  if (operation.afterUnknown === "stop" && doubtful !== -1 && doubtful < record.attempts.length - 1) {
    yield {
      rule: "repeated",
      where: id,
      what: `attempt ${doubtful + 1} of ${record.attempts.length} was not the last`,
    };
  }
  const done = calls.filter(({ request }) => request.committed !== null);
  const sent = done.filter(({ request }) => request.committed === "otp-sent");
  const allowed = operation.afterUnknown === "resend-after-cooldown" && doubtful !== -1 ? 2 : 1;
  if (sent.length > allowed) yield { rule: "sent twice", where: id, what: `${sent.length} OTPs` };

  const deadline = record.expires_at === null ? Infinity : Date.parse(record.expires_at);
  const late = calls.filter(({ request }) => request.at > deadline + TRAVEL_MS);
  for (const { request } of late) {
    yield { rule: "late", where: id, what: `request ${request.seq}, ${request.at - deadline} ms after it` };
  }

  const changes = operation.step !== "read";
  const happened = changes ? done.length > 0 : calls.some(({ request }) => request.status === 200);
  if (record.state === "succeeded" && !happened)
    yield { rule: "untrue", where: id, what: "succeeded, and nothing was done" };
  // `unknown` may be either; a read changes nothing; and a deadline may come after an attempt that is in doubt.
  const denies = ["rejected", "failed"].includes(record.state) || (record.state === "expired" && doubtful === -1);
  if (denies && changes && happened) yield { rule: "untrue", where: id, what: `${record.state}, and it was done` };
  if (record.state === "succeeded" && operation.step === "send" && happened) {
    const references = outbox.filter(({ to }) => to === job.person).map(({ reference }) => reference);
    const kept = ["otp_ref_id", "reference_id", "tid"].map((name) => record.result?.[name]);
    if (!kept.some((reference) => references.includes(String(reference)))) {
      yield { rule: "untrue", where: id, what: "succeeded, with a reference that is not of its OTP" };
    }
  }
}

function* cooldowns({ outbox, cooldownMs, jobs }: Evidence): Iterable<Violation> {
  const ids = new Map(jobs.map(({ id, operation, person }) => [`${operation} ${person}`, id]));
  for (const [key, messages] of Map.groupBy(outbox, ({ operation, to }) => `${operation} ${to}`)) {
    for (const [index, { at }] of messages.entries()) {
      const gap = at - (messages[index - 1]?.at ?? -Infinity);
      if (gap < cooldownMs - TRAVEL_MS) yield { rule: "cooldown", where: ids.get(key) ?? "?", what: `${gap} ms apart` };
    }
  }
}

/** Sliding windows, as the provider counts arrivals. */
function* overruns({ requests, quotas }: Evidence, cases: readonly Case[]): Iterable<Violation> {
  const begun = new Map(
    cases.flatMap(({ calls }) => calls.map(({ request, attempt }) => [request, Date.parse(attempt.started_at)])),
  );
  /** From the attempt's beginning to its arrival, in ms. */
  const travel = (request: RequestRecord): number => request.at - (begun.get(request) ?? Number.NaN);
  for (const provider of ["eko", "deepvue"] as const) {
    const arrivals = requests.filter((request) => request.provider === provider);
    for (const { max, ms } of quotas[provider]) {
      for (const { request, before, earlyMs, isCertain } of earlyCalls(arrivals, [{ max, ms }])) {
        // The simulator may have been held up, and have stamped the first of them late.
        if (!isCertain) continue;
        // What is held up on its way for longer than any margin arrives in another window than it was sent in.
        if (travel(before) - AHEAD_MS - QUOTA_MARGIN_MS >= earlyMs) continue;
        const early = `request ${request.seq} came ${earlyMs} ms too early for ${max} in ${ms} ms`;
        const slowest = Math.max(
          ...arrivals.slice(arrivals.indexOf(before), arrivals.indexOf(request) + 1).map(travel),
        );
        const what = `${early}; the slowest of them was ${slowest} ms on its way`;
        yield { rule: "quota", where: provider, what };
      }
    }
  }
}
