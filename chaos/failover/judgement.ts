import type { RequestRecord } from "../../simulator/request-log.ts";
import { isTerminal } from "../../src/outcomes/state.ts";
import { type Case, type Evidence, judge, matchCalls, type Rule } from "../verdict.ts";
import { PASSING } from "./refusals.ts";

/** The time for which calls may stand still after Redis is back, in ms. */
const RESUME_MS = 2_000;

/** Everything that is known after a scenario. Times in ms since the epoch. */
export interface FailoverEvidence extends Evidence {
  readonly actedAt: number;
  readonly loadEndedAt: number;
  /** When some node took a write of the probe's. */
  readonly written: readonly number[];
  /** How long the scenario itself kept everybody from writing, where it knows it; ms. */
  readonly ownMs: number;
  /** How often a submit was refused, by the word of Redis or our code. */
  readonly refusals: ReadonlyMap<string, number>;
  /** A reply that took longer was not waited for, in ms. */
  readonly callTimeoutMs: number;
  readonly mayLose: boolean;
  readonly minReplicas: boolean;
}

export interface Judgement {
  readonly accepted: number;
  readonly calls: number;
  readonly failoverMs: number;
  readonly stillMs: number;
  /** Jobs with an attempt that ended `unknown` though the provider never saw its call. */
  readonly neverSeen: readonly string[];
  /** … though its reply came to a worker that lives. */
  readonly delivered: readonly string[];
  readonly unjournaled: number;
  readonly secondOtps: number;
  readonly overQuota: number;
  /** Accepted, and no record is there. */
  readonly vanished: readonly string[];
  /** Accepted, and not settled in the end. */
  readonly stuck: readonly string[];
  readonly refusals: ReadonlyMap<string, number>;
  /** In words; none: it holds. */
  readonly missed: readonly string[];
}

export function judgeFailover(evidence: FailoverEvidence): Judgement {
  const { jobs, records, requests, refusals, actedAt, loadEndedAt, written, ownMs } = evidence;
  const { cases } = matchCalls(evidence);
  const violations = judge(evidence);
  const broken = (rule: Rule): number => violations.filter((one) => one.rule === rule).length;
  const arrivals = requests.filter(({ provider }) => provider === "eko").map(({ at }) => at);
  const found = {
    accepted: jobs.length,
    calls: requests.length,
    failoverMs: Math.max(longestGap(written, actedAt, loadEndedAt), ownMs),
    stillMs: longestGap(arrivals, actedAt, loadEndedAt),
    ...falseUnknowns(cases, evidence.callTimeoutMs),
    unjournaled: broken("unjournaled"),
    secondOtps: secondOtps(evidence),
    overQuota: broken("quota"),
    vanished: jobs.filter((_, index) => records[index] === null).map(({ id }) => id),
    stuck: jobs.filter((_, index) => isStuck(records[index])).map(({ id }) => id),
    refusals,
  };
  return { ...found, missed: [...missedBars(found, evidence)] };
}

function* missedBars(found: Omit<Judgement, "missed">, evidence: FailoverEvidence): Iterable<string> {
  const { neverSeen, delivered, stillMs, failoverMs, unjournaled, refusals, vanished, stuck } = found;
  const unknown = new Set([...neverSeen, ...delivered]).size;
  if (unknown > 0) yield `${unknown} false unknowns`;
  if (stillMs > failoverMs + RESUME_MS) yield `calls stood still ${seconds(stillMs - failoverMs)} beyond the failover`;
  const impatient = PASSING.filter((word) => refusals.has(word));
  if (impatient.length > 0) yield `submits refused with ${impatient.join(", ")}`;
  if (stuck.length > 0) yield `${stuck.length} jobs not settled`;
  // With a replica that confirms, or while no master is lost, nothing that was acknowledged is.
  if (evidence.mayLose && !evidence.minReplicas) return;
  if (unjournaled > 0) yield `${unjournaled} calls that no journal knows`;
  if (evidence.mayLose) return;
  if (vanished.length > 0) yield `${vanished.length} accepted jobs lost`;
  if (found.secondOtps > 0) yield `${found.secondOtps} second OTPs`;
  if (found.overQuota > 0) yield `${found.overQuota} calls over the quota`;
}

/** The longest time without any of `times` from `from` to `to`; what began before `from` counts from its own beginning. */
export function longestGap(times: readonly number[], from: number, to: number): number {
  const sorted = times.toSorted((a, b) => a - b).filter((time) => time < to);
  let last = sorted.findLast((time) => time <= from) ?? from;
  let longest = 0;
  for (const time of [...sorted.filter((one) => one > from), to]) {
    longest = Math.max(longest, time - last);
    last = time;
  }
  return longest;
}

function falseUnknowns(
  cases: readonly Case[],
  callTimeoutMs: number,
): { readonly neverSeen: readonly string[]; readonly delivered: readonly string[] } {
  const neverSeen = new Set<string>();
  const delivered = new Set<string>();
  for (const { job, record, calls } of cases) {
    for (const attempt of record?.attempts ?? []) {
      if (attempt.outcome?.kind !== "unknown") continue;
      const call = calls.find((one) => one.attempt === attempt);
      if (call === undefined) neverSeen.add(job.id);
      else if (wasReadable(call.request, callTimeoutMs)) delivered.add(job.id);
    }
  }
  return { neverSeen: [...neverSeen], delivered: [...delivered] };
}

/** These scenarios kill no worker and have no provider's faults: a reply that was written in time came. */
function wasReadable({ status, ms, fault }: RequestRecord, callTimeoutMs: number): boolean {
  return fault === null && status !== null && ms !== null && ms < callTimeoutMs;
}

/** Every person of a run is sent one OTP. */
function secondOtps({ outbox }: Evidence): number {
  const perPerson = Map.groupBy(outbox, ({ operation, to }) => `${operation} ${to}`);
  return [...perPerson.values()].reduce((sum, messages) => sum + messages.length - 1, 0);
}

function isStuck(record: Evidence["records"][number] | undefined): boolean {
  return record !== null && record !== undefined && !isTerminal(record.state);
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
