import { describeBrokenGate } from "../../src/limits/broken-gate.ts";
import { formatDuration } from "../../src/base/duration.ts";
import type { GateState, Hold } from "../../src/limits/control.ts";
import { ANY_CALLS } from "../../src/limits/gate/flow.ts";
import { formatQuota } from "../../src/limits/parse-quota.ts";
import { describePause } from "../../src/limits/queue-pause.ts";
import type { ProviderName } from "../../src/base/provider-name.ts";
import { formatTable } from "./table.ts";

export interface ProviderGate {
  readonly provider: ProviderName;
  readonly gate: GateState;
}

/** One row per window: how much of it is used now. */
export function formatQuotas(gates: readonly ProviderGate[]): string {
  const rows = gates.flatMap(({ provider, gate }) => {
    const by = setBy(gate);
    if (gate.broken !== null) return [[provider, "none", "", "cannot be read"]];
    if (gate.windows.length === 0) return [[provider, "none yet", "", "no worker of it was started"]];
    if (isHeld(gate)) return [[provider, formatQuota(gate.quota), "-", `${by}: all calls are held`]];
    return gate.windows.map(({ max, ms, used }) => [provider, `${max}/${formatDuration(ms)}`, used, by]);
  });
  const columns = [{ title: "provider" }, { title: "window" }, { title: "used", align: "right" }, { title: "set by" }];
  const shares = gates.flatMap(({ provider, gate }) =>
    gate.factor < 1 ? [`${provider}: ${describeShare(gate)}\n`] : [],
  );
  const broken = gates.flatMap(({ provider, gate }) =>
    gate.broken === null ? [] : [`${describeBrokenGate(gate.broken, provider)}\n`],
  );
  return formatTable(columns as Parameters<typeof formatTable>[0], rows) + [...broken, ...shares].join("");
}

/** Whether a provider may be called, and what stops it or slows it down. */
export function formatGate({ provider, gate }: ProviderGate): string {
  const { factor, pausedUntil, breaker, holds, quotaFreeAt, fullWindow, now, calls, queuePause } = gate;
  const lines: [string, string][] = [["provider", provider]];
  const whole = holds.find(({ scope }) => scope === null);
  lines.push(["calls", summary(gate, whole)]);
  if (gate.broken !== null) lines.push(["gate", describeBrokenGate(gate.broken, provider)]);
  if (queuePause !== null) lines.push(["queue", describePause(queuePause, now, provider)]);
  if (whole !== undefined) lines.push(["held", describeHold(whole)]);
  if (breaker !== null) {
    const state = breaker.state === "open" ? "open, probed at" : "closing slowly, next call at";
    lines.push(["breaker", `${state} ${iso(breaker.nextAt)}; since ${iso(breaker.since)}`]);
  }
  if (pausedUntil !== null) lines.push(["paused", `until ${iso(pausedUntil)}, after a 429`]);
  if (isHeld(gate)) lines.push(["quota", `0 (set by ${setBy(gate)})`]);
  for (const { max, ms, used } of isHeld(gate) ? [] : gate.windows)
    lines.push(["quota", `${used} of ${max}/${formatDuration(ms)} used (set by ${setBy(gate)})`]);
  if (!isHeld(gate) && fullWindow !== null && quotaFreeAt > now) {
    lines.push(["full", `${fullWindow.max}/${formatDuration(fullWindow.ms)}, room at ${iso(quotaFreeAt)}`]);
  }
  if (factor < 1) lines.push(["share", describeShare(gate)]);
  lines.push(["at once", `${calls.inFlight} under way, at most ${describeLimit(calls.limit)}`]);
  for (const hold of holds) if (hold.scope !== null) lines.push(["held", `${hold.scope}: ${describeHold(hold)}`]);
  return lines.map(([name, value]) => `${name.padEnd(8)}  ${value}\n`).join("");
}

/** The JSON of `quota show` and `provider show`: times ISO 8601 in UTC, windows in ms. */
export function gateJson({ provider, gate }: ProviderGate): Record<string, unknown> {
  const { breaker, quotaFreeAt, now, quota, windows, factor, factorWorked, calls, pausedUntil, holds, queuePause } =
    gate;
  return {
    provider,
    quota: formatQuota(quota),
    quota_set_by: setBy(gate),
    quota_holds_all: isHeld(gate),
    windows,
    next_permit_at: isHeld(gate) || quotaFreeAt <= now ? null : iso(quotaFreeAt),
    factor,
    factor_worked: factorWorked,
    calls_in_flight: calls.inFlight,
    calls_in_flight_limit: calls.limit,
    paused_until: isoOrNull(pausedUntil),
    unreadable: gate.broken,
    queue_paused: queuePause && { since: iso(queuePause.since), exact: queuePause.exact },
    holds: holds.map(({ scope, reason, since, probeAt }) => ({
      scope,
      reason,
      since: iso(since),
      probe_at: iso(probeAt),
    })),
    breaker: breaker && { state: breaker.state, since: iso(breaker.since), next_at: iso(breaker.nextAt) },
  };
}

function summary(gate: GateState, whole: Hold | undefined): string {
  if (gate.broken !== null) return "none: its gate cannot be read";
  if (gate.queuePause !== null) return "none: its queue is paused in BullMQ";
  if (isHeld(gate)) return "none: its quota is 0";
  if (whole !== undefined) return "none: it is held";
  if (gate.breaker?.state === "open") return "none: the breaker is open";
  if (gate.pausedUntil !== null) return "none for now: it is paused";
  if (gate.windows.length === 0) return "none yet: no worker of it was started";
  if (gate.breaker !== null) return "resuming slowly";
  return "as the quota allows";
}

function describeShare({ factor, factorWorked }: GateState): string {
  const worked = factorWorked > factor ? `; ${percent(factorWorked)} worked last` : "";
  return `${percent(factor)} of the quota is used since the last 429s${worked}; it rises while calls go well`;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** Far more than workers have hands: no limit. */
function describeLimit(limit: number): string {
  return limit >= ANY_CALLS ? "as the workers can" : `${limit} at once`;
}

function describeHold({ reason, since, probeAt }: Hold): string {
  return `${reason}; since ${iso(since)}, one job tries at ${iso(probeAt)}`;
}

/** A quota of 0. */
function isHeld({ quota }: GateState): boolean {
  return quota.some(({ max }) => max === 0);
}

function setBy({ quotaSetByHand }: GateState): "command" | "settings" {
  return quotaSetByHand ? "command" : "settings";
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
