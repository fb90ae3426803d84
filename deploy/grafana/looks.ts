import type { OutcomeKind } from "../../src/outcomes/outcome.ts";
import type { Json, PanelSpec, Query } from "./panel.ts";

type Words = Pick<PanelSpec, "title" | "description" | "unit">;

/** One big number for the time range, coloured by `steps`; six of them fill a row. */
export function numberPanel(words: Words, steps: readonly Step[], expr: string): PanelSpec {
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
    defaults: { thresholds: { mode: "absolute", steps }, noValue: "–" },
  };
}

/** Lines over time, half a row wide; the legend gives each its last and largest value. */
export function linesPanel(words: Words, queries: readonly Query[], defaults: Json = {}): PanelSpec {
  return {
    ...words,
    type: "timeseries",
    w: 12,
    h: 8,
    queries,
    options: {
      legend: { displayMode: "table", placement: "bottom", showLegend: true, calcs: ["lastNotNull", "max"] },
      tooltip: { mode: "multi", sort: "desc" },
    },
    defaults: {
      custom: { drawStyle: "line", lineWidth: 1, fillOpacity: 8, showPoints: "never", spanNulls: false },
      ...defaults,
    },
  };
}

/** Areas on top of each other: their sum means something. */
export function stackPanel(words: Words, query: Query, overrides: readonly Json[] = []): PanelSpec {
  const custom = { drawStyle: "line", lineWidth: 1, fillOpacity: 40, stacking: { mode: "normal", group: "A" } };
  return { ...linesPanel(words, [query], { custom }), overrides };
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
  { value: 0.8, color: "orange" },
  { value: 0.95, color: "green" },
];

/** Green at nothing, orange from `warn`, red from `alarm`. */
export function lowIsGood(warn: number, alarm: number): readonly Step[] {
  return [
    { value: null, color: "green" },
    { value: warn, color: "orange" },
    { value: alarm, color: "red" },
  ];
}

/** Things that must not happen. */
export const ZERO_IS_GOOD: readonly Step[] = [
  { value: null, color: "green" },
  { value: 1e-6, color: "red" },
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

/** The same colour for an outcome wherever it is drawn. */
export const OUTCOME_OVERRIDES: readonly Json[] = Object.entries(OUTCOME_COLOURS).map(([name, fixedColor]) =>
  override(name, { color: { mode: "fixed", fixedColor } }),
);

/** Settings of the one field with this name. */
export function override(name: string, properties: Json): Json {
  return {
    matcher: { id: "byName", options: name },
    properties: Object.entries(properties).map(([id, value]) => ({ id, value })),
  };
}
