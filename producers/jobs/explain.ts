import { assertNever } from "../../src/base/assert-never.ts";
import { attemptNumber } from "../../src/records/attempt-end.ts";
import { parseRecord } from "../../src/records/parse-record.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { brokenFields } from "../../src/records/stored-values.ts";
import { isTerminal, type TerminalState } from "../../src/outcomes/state.ts";
import { unpackJob } from "../../src/records/stored-job.ts";
import { describeWait, stopsCredential, type WaitCause } from "../../src/outcomes/wait-cause.ts";
import { atTime } from "../../src/base/at-time.ts";
import type { ExplainedCause, ExplainFacts, Explanation, Place } from "./explanation.ts";
import { describeHold, gateObstacle, heldScope, type Obstacle } from "../gates/gate-obstacle.ts";
import { estimateTurn } from "./turn-estimate.ts";

/** What is said of a job; times in ms. */
interface Finding {
  readonly cause: ExplainedCause | null;
  readonly since: number | null;
  readonly next: number | null;
  readonly estimated?: boolean;
  readonly ahead?: number | null;
  /** Sentences, without their full stops. */
  readonly said: readonly string[];
}

/** A job that waits, with what every question about it needs. Times in ms. */
interface Waiting extends ExplainFacts {
  readonly record: JobRecord;
  readonly now: number;
  readonly holdNames: readonly string[];
  /** Since when it is where it is. */
  readonly since: number;
  readonly expires: number | null;
}

/** Why a job is not done yet and when it will be tried, by Redis' clock (`gate.now`). */
export function explain(facts: ExplainFacts): Explanation {
  const { id, fields, gate } = facts;
  const record = parseRecord(id, fields);
  const { state } = record;
  const isBroken = brokenFields(fields).length > 0;
  const finding = isBroken
    ? { cause: null, since: null, next: null, said: record.reason === null ? [] : [record.reason] }
    : isTerminal(state)
      ? ended(record, state, gate.now)
      : state === "active"
        ? underWay(facts, record)
        : waits(facts, record);
  return {
    id,
    state,
    cause: finding.cause,
    since: iso(finding.since),
    next_attempt_at: iso(finding.next),
    estimated: finding.next !== null && finding.estimated === true,
    ahead: finding.ahead ?? null,
    text: [...brokenSaid(record), ...finding.said]
      .map((sentence) => `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`)
      .join(" "),
  };
}

function brokenSaid({ unreadable, state }: JobRecord): string[] {
  if (unreadable === undefined) return [];
  const then = isTerminal(state) ? "" : "; the next worker that takes it ends it, and does not call";
  return [`unreadable: ${unreadable.join(", ")} of its record is not what was stored${then}`];
}

function ended(record: JobRecord, state: TerminalState, now: number): Finding {
  const at = Date.parse(record.updated_at);
  const why = record.reason === null ? "" : `: ${record.reason}`;
  const said = [`${state} at ${atTime(at, now)}${why}`];
  switch (state) {
    case "unknown":
      said.push(
        `whether it happened is for you to decide: \`satyapan settle ${record.id} succeeded|rejected|resend --reason TEXT\``,
      );
      break;
    case "failed":
      said.push(`\`satyapan failed retry ${record.id}\` gives it its attempts back`);
      break;
    case "expired":
      if (record.expires_at !== null) said.push(`its deadline was ${record.expires_at}; it is not called any more`);
      break;
    case "succeeded":
    case "rejected":
    case "cancelled":
      break;
    default:
      assertNever(state, "terminal state");
  }
  return { cause: null, since: at, next: null, said };
}

function underWay({ fields, gate, place, workers }: ExplainFacts, record: JobRecord): Finding {
  const { now } = gate;
  const n = (fields["open"] ?? "") === "" ? record.attempts.length : attemptNumber(fields["open"] ?? "");
  const attempt = record.attempts[n - 1];
  const since = Date.parse(attempt?.started_at ?? record.updated_at);
  const begun = `attempt ${n} (client_ref_id ${attempt?.client_ref_id ?? "?"}) is open since ${atTime(since, now)}`;
  const lost = "the next worker that takes the job closes it as unknown, and the operation's policy decides";
  if (workers === 0) {
    return { cause: "no-worker", since, next: null, said: [begun, `no worker is running any more: ${lost}`] };
  }
  switch (place.kind) {
    case "taken":
      return { cause: null, since, next: null, said: [begun, "its reply is awaited, for CALL_TIMEOUT at the longest"] };
    case "lane":
      return { cause: "lane", since, next: null, said: [begun, `its worker was lost before the reply: ${lost}`] };
    case "delayed": {
      const said = [begun, `its worker could not close it: at ${atTime(place.until, now)} ${lost}`];
      return { cause: "delayed", since, next: null, said };
    }
    case "none":
      return { cause: "not-queued", since, next: null, said: [begun, lostPlace(record.id)] };
    default:
      return assertNever(place, "place");
  }
}

function waits(facts: ExplainFacts, record: JobRecord): Finding {
  const { fields, gate, place, workers } = facts;
  const { now } = gate;
  const submitted = unpackJob(fields["job"] ?? "");
  const job: Waiting = {
    ...facts,
    record,
    now,
    holdNames: submitted.holdNames,
    since: sinceWhen(fields, now),
    expires: submitted.expiresAt,
  };
  if (job.expires !== null && now >= job.expires) {
    const said = [
      `its deadline ${atTime(job.expires, now)} has passed: the next worker that takes it ends it as expired`,
    ];
    const worker = workers === 0 ? [NO_WORKER] : [];
    return { cause: "deadline", since: job.expires, next: null, said: [...said, ...worker, "it will not be called"] };
  }
  if (place.kind === "none") {
    return withDeadline(job, { cause: "not-queued", since: job.since, next: null, said: [lostPlace(record.id)] });
  }
  const own = ownWait(job);
  if (own !== null) return withDeadline(job, putAway(job, own));
  const line = inLine(job, place);
  if (workers > 0) return withDeadline(job, line);
  const said = [NO_WORKER, ...(line.cause === null || line.cause === "lane" ? [] : line.said)];
  return withDeadline(job, { ...line, cause: "no-worker", since: job.since, next: null, said });
}

const NO_WORKER = "no worker is running for this provider: start one that has its settings with `satyapan worker`";

function lostPlace(id: string): string {
  return `its queue does not have it: its producer was lost while it submitted, or Redis lost data; submit it again with --id ${id}`;
}

/** A wait that is this job's alone and is not over; null: it is in line. */
function ownWait(job: Waiting): Obstacle<ExplainedCause> | null {
  const { record, fields, place, now, since, gate, provider } = job;
  const cause = fields["cause"] as WaitCause | undefined;
  const until = Number(fields["next"] ?? 0);
  if (record.state === "waiting" && cause !== undefined && !stopsCredential(cause) && until > now) {
    const reason = record.reason ?? describeWait(cause, fields["detail"] ?? "");
    if (cause !== "scope") return { cause, since, until, text: reason };
    const hold = heldScope(gate, job.holdNames);
    const text = hold === null ? `${reason}; that is lifted by now` : describeHold(hold, now, provider);
    return { cause, since: hold?.since ?? since, until, text };
  }
  if (place.kind !== "delayed" || place.until <= now) return null;
  const decided = record.decisions?.at(-1);
  const why =
    decided === undefined
      ? "a fault of our own kept it from being called (the workers' log has it)"
      : `\`${decided.decision}\` was decided at ${decided.at}`;
  return {
    cause: "delayed",
    since: decided === undefined ? since : Date.parse(decided.at),
    until: place.until,
    text: why,
  };
}

/** It waits for its own time; what will still stop all the others then, stops it too. */
function putAway(job: Waiting, own: Obstacle<ExplainedCause>): Finding {
  const { now, gate, provider, workers } = job;
  const until = own.until ?? now;
  const said = [own.text, `it is tried at ${atTime(until, now)}`];
  if (workers === 0) said.push(`by then a worker has to run: none does now`);
  const wall = gateObstacle(gate, [], provider);
  if (wall === null || (wall.until !== null && wall.until <= until)) {
    return { cause: own.cause, since: own.since, next: until, said };
  }
  return { cause: own.cause, since: own.since, next: wall.until, said: [...said, `nor before this: ${wall.text}`] };
}

function inLine(job: Waiting, place: Exclude<Place, { kind: "none" }>): Finding {
  const { gate, now, since, holdNames, provider, workers } = job;
  const wall = gateObstacle(gate, holdNames, provider);
  const ahead = place.kind === "lane" ? place.interactive + place.bulk : 0;
  const counted = place.kind === "lane" && !place.exact ? null : ahead;
  const said = wall === null ? [] : [wall.text];
  if (place.kind === "lane") said.push(...describeLine(job, place, ahead));
  const turn = ahead > 0 && workers > 0 ? estimateTurn(gate, ahead, wall?.until ?? now) : null;
  if (turn !== null && (wall === null || wall.until !== null)) {
    said.push(`at the quota's rate its turn comes about ${atTime(turn, now)}; this is an estimate`);
  }
  if (wall !== null) {
    const next = wall.until === null ? null : (turn ?? wall.until);
    return { cause: wall.cause, since: wall.since ?? since, next, estimated: turn !== null, ahead: counted, said };
  }
  if (ahead > 0) return { cause: "lane", since, next: turn, estimated: true, ahead: counted, said };
  if (place.kind !== "lane") said.push("a worker has it in hand: it is tried now");
  return { cause: null, since, next: now, ahead: counted, said };
}

function describeLine({ record }: Waiting, place: Extract<Place, { kind: "lane" }>, ahead: number): string[] {
  if (ahead === 0) return ["it is the next in line"];
  const about = place.exact ? "" : "at most ";
  const last =
    record.lane === "bulk" && !place.isFirstCome ? ", and interactive ones that come meanwhile go first" : "";
  const parts = [
    ...(place.interactive > 0 ? [`${place.interactive} interactive`] : []),
    ...(place.bulk > 0 ? [`${place.bulk} bulk`] : []),
  ];
  const jobs = ahead === 1 ? "job is" : "jobs are";
  return [`${record.lane} lane: ${about}${parts.join(" and ")} ${jobs} before it${last}`];
}

/** Since when it waits for its present cause; a wait that is over ended at its time. */
function sinceWhen({ since, updated, next, cause }: Readonly<Record<string, string>>, now: number): number {
  const isOver = next !== undefined && Number(next) <= now && !stopsCredential(cause as WaitCause);
  const at = Number(isOver ? next : (since ?? updated));
  return Number.isFinite(at) ? at : now;
}

/** A time that its deadline comes before is no time at which it is tried. */
function withDeadline({ expires, now }: Waiting, finding: Finding): Finding {
  if (expires === null) return finding;
  const { next, estimated = false, said } = finding;
  if (next === null || next < expires) {
    return { ...finding, said: [...said, `past its deadline ${atTime(expires, now)} it is not called any more`] };
  }
  const sure = estimated ? "it may be too late then" : "it will be expired then, and not called";
  return {
    ...finding,
    next: estimated ? next : null,
    said: [...said, `its deadline ${atTime(expires, now)} comes first: ${sure}`],
  };
}

function iso(ms: number | null): string | null {
  return ms === null || !(Math.abs(ms) <= 8.64e15) ? null : new Date(ms).toISOString();
}
