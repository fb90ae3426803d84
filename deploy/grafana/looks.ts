import type { OutcomeKind } from "../../src/outcomes/outcome.ts";
import type { TerminalState } from "../../src/outcomes/state.ts";
import type { WaitCause } from "../../src/outcomes/wait-cause.ts";
import type { Json, PanelSpec, Query } from "./panel.ts";

export type Words = Pick<PanelSpec, "title" | "description" | "unit" | "link"> & {
  /** Of the number: where a bound is nearer than what is shown of it. */
  readonly decimals?: number;
  /** Drawn as lines across. */
  readonly thresholds?: readonly Step[];
  /** What the axis shows at least, on either side of 0: less is drawn small. */
  readonly atLeast?: number;
};

/** One big number for the time range, coloured by `steps`; six of them fill a row. */
export function numberPanel({ decimals, ...words }: Words, steps: readonly Step[], expr: string): PanelSpec {
  return {
    ...words,
    type: "stat",
    w: 4,
    h: 4,
    instant: true,
    queries: [[expr, ""]],
    options: {
      reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
      colorMode: "background",
      graphMode: "none",
      textMode: "value",
    },
    defaults: {
      ...{ thresholds: { mode: "absolute", steps }, noValue: "–" },
      ...(decimals === undefined ? {} : { decimals }),
    },
  };
}

/** Lines over time, half a row wide; the legend gives each its last and largest value. */
export function linesPanel(
  { thresholds, atLeast, ...words }: Words,
  queries: readonly Query[],
  defaults: Json = {},
  overrides: readonly Json[] = [],
): PanelSpec {
  const across: Json = thresholds === undefined ? {} : { thresholdsStyle: { mode: "line" } };
  const axis: Json = atLeast === undefined ? {} : { axisSoftMin: -atLeast, axisSoftMax: atLeast };
  return {
    ...words,
    overrides,
    type: "timeseries",
    w: 12,
    h: 8,
    queries,
    options: {
      legend: { displayMode: "table", placement: "bottom", showLegend: true, calcs: ["lastNotNull", "max"] },
      tooltip: { mode: "multi", sort: "desc" },
    },
    defaults: {
      custom: {
        drawStyle: "line",
        lineWidth: 1,
        fillOpacity: 8,
        showPoints: "never",
        spanNulls: false,
        ...across,
        ...axis,
      },
      ...(thresholds === undefined ? {} : { thresholds: { mode: "absolute", steps: thresholds } }),
      ...defaults,
    },
  };
}

/** Lines of what is never below 0. */
export function amountsPanel(words: Words, ...queries: readonly Query[]): PanelSpec {
  return linesPanel(words, queries, { min: 0 });
}

/** The same, a third of a row wide. */
export function third(panel: PanelSpec): PanelSpec {
  return { ...panel, w: 8 };
}

/** Areas on top of each other: their sum means something. Without lines, or what is 0 would draw one in its colour all the same. */
export function stackPanel(words: Words, query: Query, overrides: readonly Json[] = []): PanelSpec {
  const custom = { drawStyle: "line", lineWidth: 0, fillOpacity: 70, stacking: { mode: "normal", group: "A" } };
  return linesPanel(words, [query], { custom }, overrides);
}

/** Whether something holds, over time: `texts` for 0 and 1. */
export function timelinePanel(words: Words, query: Query, [zero, one]: readonly [string, string]): PanelSpec {
  // What must not be is red; where 1 is as it should be, 0 is.
  const steps = one === "held" ? ZERO_IS_GOOD : WHOLE_IS_GOOD;
  return {
    ...words,
    type: "state-timeline",
    w: 12,
    h: 8,
    queries: [query],
    options: {
      mergeValues: true,
      showValue: "auto",
      alignValue: "left",
      rowHeight: 0.8,
      legend: { showLegend: false },
    },
    defaults: {
      color: { mode: "thresholds" },
      thresholds: { mode: "absolute", steps },
      mappings: [{ type: "value", options: { 0: { text: zero, index: 0 }, 1: { text: one, index: 1 } } }],
    },
  };
}

/** How many fell into which bucket, over time. `expr` gives series by `le`. */
export function heatmapPanel(words: Words, expr: string): PanelSpec {
  return {
    ...words,
    type: "heatmap",
    w: 12,
    h: 8,
    queries: [[expr, "{{le}}"]],
    options: {
      calculate: false,
      color: { mode: "scheme", scheme: "Blues", steps: 64 },
      yAxis: { unit: words.unit },
      cellGap: 1,
      legend: { show: true },
    },
  };
}

/** `value` null: from minus infinity. */
export interface Step {
  readonly value: number | null;
  readonly color: string;
}

/** Bounds and colours of a share, from 0 (red) to 1 (green). */
export const SHARE = { min: 0, max: 1, color: { mode: "continuous-RdYlGr" } } as const;

export const GOOD_SHARE: readonly Step[] = [
  { value: null, color: "red" },
  { value: 0.95, color: "orange" },
  { value: 0.99, color: "green" },
];

/** Green at nothing, orange from `warn`, red from `alarm`. */
export function lowIsGood(warn: number, alarm: number): readonly Step[] {
  return [
    { value: null, color: "green" },
    { value: warn, color: "orange" },
    { value: alarm, color: "red" },
  ];
}

/** Time that is left, in seconds: red at a minute, orange at three. */
export const LITTLE_IS_BAD: readonly Step[] = [
  { value: null, color: "red" },
  { value: 60, color: "orange" },
  { value: 180, color: "green" },
];

/** Things that must not happen. */
export const ZERO_IS_GOOD: readonly Step[] = [
  { value: null, color: "green" },
  { value: 1e-6, color: "red" },
];

/** All of a share, or something is amiss. */
export const WHOLE_IS_GOOD: readonly Step[] = [
  { value: null, color: "red" },
  { value: 0.01, color: "orange" },
  { value: 1, color: "green" },
];

const OUTCOME_COLOURS: Readonly<Record<OutcomeKind, string>> = {
  succeeded: "green",
  rejected: "blue",
  pending: "light-blue",
  throttled: "yellow",
  unavailable: "orange",
  unknown: "purple",
  refused: "red",
};

/** As their outcomes' where they are the same thing. */
const STATE_COLOURS: Readonly<Record<TerminalState, string>> = {
  ...{ succeeded: "green", rejected: "blue", failed: "orange", unknown: "purple" },
  ...{ expired: "dark-yellow", cancelled: "text" },
};

const CAUSE_COLOURS: Readonly<Record<WaitCause | "worker" | "paused", string>> = {
  ...{ worker: "text", quota: "super-light-yellow", busy: "light-green", breaker: "orange", throttled: "yellow" },
  ...{ held: "red", scope: "light-red", paused: "dark-red", cooldown: "light-purple", pending: "light-blue" },
  ...{ backoff: "light-orange", unknown: "purple" },
};

/** The same colour for a thing wherever it is drawn. */
export function fixedColours(colours: Readonly<Record<string, string>>): readonly Json[] {
  return Object.entries(colours).map(([name, fixedColor]) => override(name, { color: { mode: "fixed", fixedColor } }));
}

export const OUTCOME_OVERRIDES = fixedColours(OUTCOME_COLOURS);
export const STATE_OVERRIDES = fixedColours(STATE_COLOURS);
export const CAUSE_OVERRIDES = fixedColours(CAUSE_COLOURS);
export const HTTP_OVERRIDES = fixedColours({
  ...{ "2xx": "green", "3xx": "light-green", "4xx": "yellow", "5xx": "orange", none: "purple" },
});
export const ROW_OVERRIDES = fixedColours({
  ...STATE_COLOURS,
  ...{ waiting: "super-light-yellow", queued: "light-blue", calling: "light-orange", awaiting_otp: "light-purple" },
  ...{ duplicate: "text", skipped: "text" },
});
export const BATCH_OVERRIDES = fixedColours({
  ...{ checking: "text", ready: "light-blue", running: "light-green", paused: "yellow", stopped: "red" },
  cancelled: "dark-yellow",
});
export const ONBOARDING_OVERRIDES = fixedColours({
  ...STATE_COLOURS,
  ...{ running: "light-orange", awaiting_otp: "light-purple" },
});
export const EVENT_OVERRIDES = fixedColours({
  ...{
    verified: "green",
    wrong: "yellow",
    rejected: "blue",
    expired: "dark-yellow",
    spent: "orange",
    resent: "light-blue",
  },
});
export const DECISION_OVERRIDES = fixedColours({
  ...{ code_right: "green", code_wrong: "yellow", code_over: "orange", later: "light-purple" },
  ...{ wrong_number: "light-blue", refused: "blue" },
});
export const LANE_OVERRIDES = fixedColours({ interactive: "blue", bulk: "light-green" });

/** Settings of the one field with this name. */
export function override(name: string, properties: Json): Json {
  return {
    matcher: { id: "byName", options: name },
    properties: Object.entries(properties).map(([id, value]) => ({ id, value })),
  };
}
