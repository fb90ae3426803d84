import type { Panel } from "../panel.ts";
import { colourOf, paletteColour, type Threshold } from "./colours.ts";
import { escaped, legendOf } from "./format.ts";
import type { Series, TimeRange } from "./prometheus.ts";

/** What the queries of a panel gave, in their order. */
export interface PanelData {
  readonly panel: Panel;
  readonly results: readonly (readonly Series[])[];
  readonly range: TimeRange;
}

export interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface Line {
  readonly name: string;
  readonly colour: string;
  readonly series: Series;
}

export interface Override {
  readonly matcher: { readonly options: string };
  readonly properties: readonly { readonly id: string; readonly value: unknown }[];
}

export function linesOf({ panel, results }: PanelData): Line[] {
  const fixed = new Map<string, string>();
  const { fieldConfig } = panel as { fieldConfig?: { overrides?: readonly Override[] } };
  for (const { matcher, properties } of fieldConfig?.overrides ?? []) {
    const colour = properties.find(({ id }) => id === "color")?.value as { fixedColor?: string } | undefined;
    if (colour?.fixedColor !== undefined) fixed.set(matcher.options, colour.fixedColor);
  }
  const all = results.flatMap((result, nth) =>
    result.map((series) => ({ name: legendOf(panel.targets?.[nth]?.legendFormat ?? "", series.labels), series })),
  );
  return all.map(({ name, series }, nth) => {
    const colour = fixed.get(name);
    return { name, series, colour: colour === undefined ? paletteColour(nth) : colourOf(colour) };
  });
}

export interface Defaults {
  readonly unit?: string;
  readonly max?: number;
  readonly decimals?: number;
  readonly noValue?: string;
  readonly custom?: {
    readonly stacking?: { readonly mode?: string };
    readonly axisSoftMin?: number;
    readonly axisSoftMax?: number;
  };
  readonly thresholds?: { readonly steps: readonly Threshold[] };
}

export function defaultsOf(panel: Panel): Defaults {
  return (panel as { fieldConfig?: { defaults?: Defaults } }).fieldConfig?.defaults ?? {};
}

export function unitOf(panel: Panel): string {
  return defaultsOf(panel).unit ?? "short";
}

export function stepsOf(panel: Panel): readonly Threshold[] {
  return defaultsOf(panel).thresholds?.steps ?? [];
}

export function text(x: number, y: number, content: string, more = ""): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(content)}</text>`;
}
