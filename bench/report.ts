import { formatTable } from "../producers/report/table.ts";
import { type CommandUse, totals } from "./redis-usage.ts";
import type { Drain, SubmitToWire } from "./contender.ts";
import { median } from "./statistics.ts";

/** What one side did in one round. */
export interface Measurement {
  readonly drain: Drain;
  readonly submitToWire: SubmitToWire;
}

/** `plain`: BullMQ and undici; what all are compared with. */
export type SideName = "plain" | "bee-queue" | "graphile-worker" | "satyapan";

/** One turn of all sides, one right after the other. */
export type Round = ReadonlyMap<SideName, Measurement>;

/** Issue "Tickets", and design §8. */
export interface Bar {
  readonly at: "least" | "most";
  readonly ratio: number;
}

export interface Line {
  readonly measure: string;
  /** Medians of all rounds, by side. */
  readonly of: Readonly<Partial<Record<SideName, number>>>;
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
  readonly sides: readonly SideName[];
  readonly lines: readonly Line[];
  readonly commands: readonly CommandLine[];
  readonly met: boolean;
}

type Measure = (measurement: Measurement) => number;

const least = (ratio: number): Bar => ({ at: "least", ratio });
const most = (ratio: number): Bar => ({ at: "most", ratio });

const MEASURES: readonly { readonly measure: string; readonly of: Measure; readonly bar?: Bar }[] = [
  { measure: "jobs/s", of: ({ drain }) => drain.jobs / (drain.tookMs / 1_000), bar: least(0.9) },
  { measure: "worker CPU, µs/job", of: ({ drain }) => drain.workerCpuUs / drain.jobs, bar: most(1.2) },
  { measure: "Redis (PostgreSQL) CPU, µs/job", of: ({ drain }) => drain.redis.cpuUs / drain.jobs, bar: most(1) },
  { measure: "worker CPU after the last job", of: ({ drain }) => drain.late.workerCpuUs / drain.jobs },
  { measure: "Redis CPU after the last job", of: ({ drain }) => drain.late.redisCpuUs / drain.jobs },
  { measure: "HTTP server CPU, µs/job", of: ({ drain }) => drain.serverCpuUs / drain.jobs },
  { measure: "Redis scripts, calls/job", of: ({ drain }) => totals(drain.redis).scripts.calls / drain.jobs },
  { measure: "Redis scripts, µs/job", of: ({ drain }) => totals(drain.redis).scripts.usec / drain.jobs },
  { measure: "Redis commands, calls/job", of: ({ drain }) => totals(drain.redis).commands / drain.jobs },
  { measure: "request, bytes", of: ({ drain }) => drain.requestBytes / drain.jobs },
  { measure: "submit to wire p50, ms", of: ({ submitToWire }) => submitToWire.p50, bar: most(1.5) },
  { measure: "submit to wire p99, ms", of: ({ submitToWire }) => submitToWire.p99, bar: most(2) },
];

/** Throws RangeError without a round, or without the two sides that are compared. */
export function summarize(rounds: readonly Round[]): Summary {
  const sides = [...(rounds[0]?.keys() ?? [])];
  const lines = MEASURES.map(({ measure, of, bar = null }): Line => {
    const ratio = median(rounds.map((round) => of(sideOf(round, "satyapan")) / of(sideOf(round, "plain"))));
    const medians = sides.map((side): [string, number] => [side, medianOf(rounds, side, of)]);
    return { measure, of: Object.fromEntries(medians), ratio, bar, met: bar === null || meets(ratio, bar) };
  });
  const compared = ["plain", "satyapan"] as const;
  const names = new Set(
    rounds.flatMap((round) => compared.flatMap((side) => Object.keys(sideOf(round, side).drain.redis.commands))),
  );
  const commands = [...names].map((command): CommandLine => {
    const use = (side: SideName): CommandUse => ({
      calls: medianOf(rounds, side, perJob(command, "calls")),
      usec: medianOf(rounds, side, perJob(command, "usec")),
    });
    return { command, plain: use("plain"), satyapan: use("satyapan") };
  });
  return {
    ...{ rounds: rounds.length, sides, lines },
    commands: commands.toSorted((one, other) => other.satyapan.usec - one.satyapan.usec),
    met: lines.every(({ met }) => met),
  };
}

function sideOf(round: Round, side: SideName): Measurement {
  const found = round.get(side);
  if (found === undefined) throw new RangeError(`${side} was not measured`);
  return found;
}

function perJob(command: string, field: keyof CommandUse): Measure {
  return ({ drain }) => (drain.redis.commands[command]?.[field] ?? 0) / drain.jobs;
}

function medianOf(rounds: readonly Round[], side: SideName, of: Measure): number {
  return median(rounds.map((round) => of(sideOf(round, side))));
}

function meets(ratio: number, { at, ratio: bar }: Bar): boolean {
  return at === "least" ? ratio >= bar : ratio <= bar;
}

/** Commands that take less of a job than this, in calls, are the worker's housekeeping and not shown. */
const WORTH_SHOWING = 0.01;

/** A ratio above this is one to nearly nothing. */
const MOST_TELLING = 100;

export function formatSummary({ sides, lines, commands }: Summary): string {
  const right = "right" as const;
  const measures = formatTable(
    [
      { title: "median of the rounds" },
      ...sides.map((side) => ({ title: side, align: right })),
      { title: "satyapan/plain", align: right },
      { title: "bar" },
    ],
    lines.map(({ measure, of, ratio, bar, met }) => [
      measure,
      ...sides.map((side) => figure(of[side] ?? 0)),
      ratio < MOST_TELLING ? ratio.toFixed(2) : "",
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
