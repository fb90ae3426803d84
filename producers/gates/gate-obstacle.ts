import { describeBrokenGate } from "../../src/limits/broken-gate.ts";
import { formatQuota } from "../../src/limits/parse-quota.ts";
import { describeWait, describeWindow, type WaitCause } from "../../src/outcomes/wait-cause.ts";
import { atTime } from "../../src/base/at-time.ts";
import type { GateState, Hold, Loss } from "../../src/limits/control.ts";
import { describePause } from "../../src/limits/queue-pause.ts";

/** What keeps a job from being called. Times in ms. */
export interface Obstacle<Cause = WaitCause> {
  readonly cause: Cause;
  /** Null: not known. */
  readonly since: number | null;
  /** Null: no time ends it. */
  readonly until: number | null;
  readonly text: string;
}

/**
 * What a job with these hold names would be turned back for now, in the order in which the gate looks (`BEGIN`); null: it is
 * open. A person's cooldown is not in it: that shows when the job is taken.
 */
export function gateObstacle(
  gate: GateState,
  holdNames: readonly string[],
  provider: string,
): Obstacle<WaitCause | "paused"> | null {
  return (
    paused(gate, provider) ??
    unreadable(gate, provider) ??
    stopped(gate, provider) ??
    scopeHold(gate, holdNames, provider) ??
    noPlace(gate) ??
    fullQuota(gate, provider)
  );
}

/** The hold of one of the job's own hold names, due or not; null: none. */
export function heldScope({ holds }: GateState, holdNames: readonly string[]): Hold | null {
  return holds.filter(({ scope }) => scope !== null && holdNames.includes(scope)).toSorted(later)[0] ?? null;
}

export function describeHold({ scope, reason, since, probeAt }: Hold, now: number, provider: string): string {
  const what = scope === null ? "" : ` (only ${scope})`;
  const resume = `satyapan provider resume ${provider}${scope === null ? "" : ` --scope ${scope}`}`;
  const probe = probeAt > now ? `One job tries again at ${atTime(probeAt, now)}` : "One job may try again now";
  return `${describeWait("held", reason)}${what}, since ${atTime(since, now)}. ${probe}; \`${resume}\` lifts it at once`;
}

function paused({ now, queuePause }: GateState, provider: string): Obstacle<"paused"> | null {
  if (queuePause === null) return null;
  return { cause: "paused", since: queuePause.since, until: null, text: describePause(queuePause, now, provider) };
}

function unreadable({ broken }: GateState, provider: string): Obstacle | null {
  if (broken === null) return null;
  return { cause: "held", since: null, until: null, text: describeWait("held", describeBrokenGate(broken, provider)) };
}

function stopped({ now, holds, pausedUntil, breaker, confirmedAt }: GateState, provider: string): Obstacle | null {
  if (confirmedAt !== null) {
    return { cause: "throttled", since: null, until: confirmedAt, text: describeWait("throttled", "failover") };
  }
  const hold = holds.find(({ scope }) => scope === null);
  if (hold !== undefined) {
    const { since, probeAt } = hold;
    return { cause: "held", since, until: Math.max(now, probeAt), text: describeHold(hold, now, provider) };
  }
  if (pausedUntil !== null) {
    const text = `${describeWait("throttled", "")}; calls resume at ${atTime(pausedUntil, now)}`;
    return { cause: "throttled", since: null, until: pausedUntil, text };
  }
  if (breaker === null) return null;
  const { state, since, nextAt } = breaker;
  const next = `${state === "open" ? "One job tries" : "The next call is made"} at ${atTime(Math.max(now, nextAt), now)}`;
  const text = `${describeWait("breaker", state)}, since ${atTime(since, now)}. ${next}`;
  return { cause: "breaker", since, until: Math.max(now, nextAt), text };
}

function scopeHold(gate: GateState, holdNames: readonly string[], provider: string): Obstacle | null {
  const hold = heldScope(gate, holdNames);
  // When its time has come, whoever is next tries.
  if (hold === null || hold.probeAt <= gate.now) return null;
  return { cause: "scope", since: hold.since, until: hold.probeAt, text: describeHold(hold, gate.now, provider) };
}

/** All places for calls at once are taken: one of them may end at any time. */
function noPlace({ now, calls: { inFlight, limit } }: GateState): Obstacle | null {
  if (inFlight < limit) return null;
  return {
    cause: "busy",
    since: null,
    until: now,
    text: `${describeWait("busy", String(inFlight))}; it is next when one ends`,
  };
}

function fullQuota(
  { now, windows, fullWindow, quotaFreeAt, quotaSetByHand, factor, lost }: GateState,
  provider: string,
): Obstacle | null {
  if (fullWindow === null || quotaFreeAt <= now) return null;
  const { max, ms } = fullWindow;
  const byHand = quotaSetByHand ? ", as `satyapan quota set` said" : "";
  if (max === 0) {
    const text = `${describeWait("quota", `0:${ms}`)}${byHand}; \`satyapan quota set ${provider} …\` lets calls through`;
    return { cause: "quota", since: null, until: null, text };
  }
  const used = windows.find((window) => window.ms === ms)?.used ?? max;
  const share =
    factor < 1 && windows[0]?.ms === ms ? `, of which ${Math.round(factor * 100)} % are used after 429s` : "";
  const window = `quota: ${describeWindow(`${max}:${ms}`)} is used up (${used} of ${max}${share})${byHand}`;
  const room = `${window}; it has room again at ${atTime(quotaFreeAt, now)}`;
  // A window that reaches back to then may hold calls that were never made.
  const text = lost !== null && now - lost.at < ms ? `${room}. ${describeLoss(lost, now, provider)}` : room;
  return { cause: "quota", since: null, until: quotaFreeAt, text };
}

/** One sentence, without its full stop. */
export function describeLoss({ at, quotaByHand }: Loss, now: number, provider: string): string {
  const said = `Redis lost its data at ${atTime(at, now)}: windows of up to a minute counted as full from then`;
  if (quotaByHand === null) return said;
  const quota = formatQuota(quotaByHand);
  return `${said}. The quota that was set by hand, ${quota}, was lost: \`satyapan quota set ${provider} ${quota}\` sets it again`;
}

function later(one: Hold, other: Hold): number {
  return other.probeAt - one.probeAt;
}
