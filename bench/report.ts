import { formatTable } from "../producers/report/table.ts";
import { type CommandUse, totals } from "./redis-usage.ts";
import type { Drain, SubmitToWire } from "./contender.ts";
import { median } from "./statistics.ts";

/** What one side did in one round. */
export interface Measurement {
  readonly drain: Drain;
  readonly submitToWire: SubmitToWire;
}

/** One turn of both sides, one right after the other. */
export interface Round {
  readonly plain: Measurement;
  readonly satyapan: Measurement;
}

/** Issue "Every call counts", item 11, and design §8. */
export interface Bar {
  readonly at: "least" | "most";
  readonly ratio: number;
}

export interface Line {
  readonly measure: string;
  /** Medians of all rounds. */
  readonly plain: number;
  readonly satyapan: number;
  /** Median of the rounds' own ratios, Satyapan by plain: what disturbs one round disturbs both sides of it. */
  readonly ratio: number;
  readonly bar: Bar | null;
  readonly met: boolean;
}

export interface CommandLine {
  readonly command: string;
  /** Per job, medians of all rounds. */
  readonly plain: CommandUse;
  readonly satyapan: CommandUse;
}

export interface Summary {
  readonly rounds: number;
  readonly lines: readonly Line[];
  readonly commands: readonly CommandLine[];
  readonly met: boolean;
}

type Measure = (measurement: Measurement) => number;

const AT_LEAST_07: Bar = { at: "least", ratio: 0.7 };
const AT_MOST_15: Bar = { at: "most", ratio: 1.5 };

const MEASURES: readonly { readonly measure: string; readonly of: Measure; readonly bar?: Bar }[] = [
  { measure: "jobs/s", of: ({ drain }) => drain.jobs / (drain.tookMs / 1_000), bar: AT_LEAST_07 },
  { measure: "worker CPU, µs/job", of: ({ drain }) => drain.workerCpuUs / drain.jobs },
  { measure: "Redis CPU, µs/job", of: ({ drain }) => drain.redis.cpuUs / drain.jobs },
  { measure: "HTTP server CPU, µs/job", of: ({ drain }) => drain.serverCpuUs / drain.jobs },
  { measure: "Redis scripts, calls/job", of: ({ drain }) => totals(drain.redis).scripts.calls / drain.jobs },
  { measure: "Redis scripts, µs/job", of: ({ drain }) => totals(drain.redis).scripts.usec / drain.jobs },
  { measure: "Redis commands, calls/job", of: ({ drain }) => totals(drain.redis).commands / drain.jobs },
  { measure: "request, bytes", of: ({ drain }) => drain.requestBytes / drain.jobs },
  { measure: "submit to wire p50, ms", of: ({ submitToWire }) => submitToWire.p50, bar: AT_MOST_15 },
  { measure: "submit to wire p99, ms", of: ({ submitToWire }) => submitToWire.p99, bar: AT_MOST_15 },
];

/** Throws RangeError without a round. */
export function summarize(rounds: readonly Round[]): Summary {
  const lines = MEASURES.map(({ measure, of, bar = null }): Line => {
    const ratio = median(rounds.map(({ plain, satyapan }) => of(satyapan) / of(plain)));
    return { measure, ...mediansOf(rounds, of), ratio, bar, met: bar === null || meets(ratio, bar) };
  });
  const names = new Set(
    rounds.flatMap(({ plain, satyapan }) =>
      Object.keys({ ...plain.drain.redis.commands, ...satyapan.drain.redis.commands }),
    ),
  );
  const commands = [...names].map((command): CommandLine => {
    const calls = mediansOf(rounds, perJob(command, "calls"));
    const usec = mediansOf(rounds, perJob(command, "usec"));
    return {
      command,
      plain: { calls: calls.plain, usec: usec.plain },
      satyapan: { calls: calls.satyapan, usec: usec.satyapan },
    };
  });
  return {
    rounds: rounds.length,
    lines,
    commands: commands.toSorted((one, other) => other.satyapan.usec - one.satyapan.usec),
    met: lines.every(({ met }) => met),
  };
}

function perJob(command: string, field: keyof CommandUse): Measure {
  return ({ drain }) => (drain.redis.commands[command]?.[field] ?? 0) / drain.jobs;
}

function mediansOf(rounds: readonly Round[], of: Measure): { plain: number; satyapan: number } {
  return {
    plain: median(rounds.map(({ plain }) => of(plain))),
    satyapan: median(rounds.map(({ satyapan }) => of(satyapan))),
  };
}

function meets(ratio: number, { at, ratio: bar }: Bar): boolean {
  return at === "least" ? ratio >= bar : ratio <= bar;
}

/** Commands that take less of a job than this, in calls, are the worker's housekeeping and not shown. */
const WORTH_SHOWING = 0.01;

export function formatSummary({ lines, commands }: Summary): string {
  const right = "right" as const;
  const measures = formatTable(
    [
      { title: "median of the rounds" },
      { title: "plain", align: right },
      { title: "satyapan", align: right },
      { title: "ratio", align: right },
      { title: "bar" },
    ],
    lines.map(({ measure, plain, satyapan, ratio, bar, met }) => [
      measure,
      figure(plain),
      figure(satyapan),
      ratio.toFixed(2),
      bar === null ? "" : `${bar.at === "least" ? "≥" : "≤"} ${bar.ratio.toFixed(1)} ${met ? "met" : "MISSED"}`,
    ]),
  );
  const perCommand = formatTable(
    [
      { title: "Redis, per job" },
      { title: "calls plain", align: right },
      { title: "satyapan", align: right },
      { title: "µs plain", align: right },
      { title: "satyapan", align: right },
    ],
    commands
      .filter(({ plain, satyapan }) => Math.max(plain.calls, satyapan.calls) >= WORTH_SHOWING)
      .map(({ command, plain, satyapan }) => [
        command,
        plain.calls.toFixed(2),
        satyapan.calls.toFixed(2),
        plain.usec.toFixed(1),
        satyapan.usec.toFixed(1),
      ]),
  );
  return `${measures}\n${perCommand}`;
}

function figure(value: number): string {
  return value >= 1_000 ? value.toFixed(0) : value >= 100 ? value.toFixed(1) : value.toFixed(2);
}
