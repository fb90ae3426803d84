import { describeBrokenGate } from "../../src/limits/broken-gate.ts";
import type { GateState } from "../../src/limits/control.ts";
import { describeHold, gateObstacle } from "../gates/gate-obstacle.ts";
import { differing, type WorkerPrint } from "../../src/limits/fleet.ts";
import { describePause } from "../../src/limits/queue-pause.ts";
import type { ProviderName } from "../../src/base/provider-name.ts";
import type { Finding } from "./finding.ts";

export interface ProviderFacts {
  readonly provider: ProviderName;
  readonly gate: GateState;
  /** Workers that take its jobs now. */
  readonly workers: number;
  /** Jobs in line. */
  readonly waiting: number;
  /** Jobs that are unknown. */
  readonly unknown: number;
  /** What its workers run with. */
  readonly prints: readonly WorkerPrint[];
  /** What a worker with this process's settings would; null: it would not serve it. */
  readonly own: WorkerPrint | null;
}

/** A quota that is used up for longer than this, in ms, is spoken of: windows of seconds and minutes are full as a rule. */
const LONG_MS = 300_000;

/** What keeps a provider's jobs from being called, and what waits for a person. `elsewhere`: workers that serve another provider. */
export function gateFindings(facts: ProviderFacts, elsewhere = 0): Finding[] {
  const { provider } = facts;
  const found = [...stops(facts), ...workerFindings(facts, elsewhere), ...unknownFinding(facts)];
  if (found.length > 0) return found;
  const workers = facts.workers === 1 ? "a worker takes" : `${facts.workers} workers take`;
  return [{ check: `${provider} jobs`, status: "ok", detail: `${workers} them; nothing holds them back` }];
}

function stops({ provider, gate, workers, waiting }: ProviderFacts): Finding[] {
  const { now, holds, breaker, pausedUntil, queuePause, quota, factor } = gate;
  const found: Finding[] = [];
  const add = (status: "failed" | "warning", check: string, detail: string): void => {
    found.push({ check: `${provider} ${check}`, status, detail });
  };
  const alone = (part: Partial<GateState>): string =>
    gateObstacle({ ...gate, holds: [], pausedUntil: null, breaker: null, queuePause: null, ...part }, [], provider)
      ?.text ?? "";
  if (gate.broken !== null) add("failed", "gate", describeBrokenGate(gate.broken, provider));
  if (queuePause !== null) add("failed", "queue", describePause(queuePause, now, provider));
  for (const hold of holds) {
    add(hold.scope === null ? "failed" : "warning", "hold", describeHold(hold, now, provider));
  }
  if (breaker !== null) add(breaker.state === "open" ? "failed" : "warning", "breaker", alone({ breaker }));
  if (pausedUntil !== null) add("warning", "pause", alone({ pausedUntil }));
  if (gate.broken === null && quota.length === 0 && (workers > 0 || waiting > 0)) {
    const cure = `start a worker again, or \`satyapan quota set ${provider} …\``;
    add("failed", "quota", `there is none in Redis, though ${workers} workers run and ${waiting} jobs wait: ${cure}`);
  }
  if (quota.some(({ max }) => max === 0)) {
    const until = gate.quotaSetByHand ? `until \`satyapan quota reset ${provider}\`` : "as the workers' settings say";
    add("warning", "quota", `it is 0: every call is held, ${until}`);
  }
  if (quota.every(({ max }) => max > 0) && gate.quotaFreeAt - now > LONG_MS) add("warning", "quota", alone({}));
  if (factor < 1) {
    const lift = `it rises while calls go well, and \`satyapan provider resume ${provider}\` lifts it at once`;
    add("warning", "share", `only ${Math.round(factor * 100)} % of the quota is used since the last 429s; ${lift}`);
  }
  return found;
}

function workerFindings({ provider, workers, waiting, prints, own }: ProviderFacts, elsewhere: number): Finding[] {
  const check = `${provider} workers`;
  if (workers === 0) {
    const settings = `${provider.toUpperCase()}_ settings`;
    const none = elsewhere > 0 ? `those that run lack the ${settings}` : "none is running";
    const start = elsewhere > 0 ? `give one the ${settings}` : "start one with `satyapan worker`";
    return waiting > 0
      ? [{ check, status: "failed", detail: `${none}, and ${jobs(waiting)}: ${start}` }]
      : [{ check, status: "warning", detail: `${none}: ${start}` }];
  }
  const among = differing(prints);
  if (among.length > 0) {
    const detail = `they run with different ${among.join(", ")}: give all of them the same; the one that started last set the quota`;
    return [{ check, status: "warning", detail }];
  }
  const mine = own === null || prints.length === 0 ? [] : differing([own, ...prints]);
  if (mine.length === 0) return [];
  return [{ check, status: "warning", detail: `they run with another ${mine.join(", ")} than is set here` }];
}

function unknownFinding({ provider, unknown }: ProviderFacts): Finding[] {
  if (unknown === 0) return [];
  const are = unknown === 1 ? "1 job is" : `${unknown} jobs are`;
  const decide = "`satyapan settle ID succeeded|rejected|resend --reason TEXT`";
  const detail = `${are} unknown (\`satyapan unknown list\`): whether the call happened is for you to say, ${decide}`;
  return [{ check: `${provider} unknown`, status: "warning", detail }];
}

function jobs(count: number): string {
  return count === 1 ? "1 job waits" : `${count} jobs wait`;
}
