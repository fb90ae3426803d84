import type { Json, Panel } from "../panel.ts";
import { colourOf, paletteColour, type Threshold, thresholdColour } from "./colours.ts";
import { escaped, formatValue, legendOf } from "./format.ts";
import type { Series, TimeRange } from "./prometheus.ts";

/** What the queries of a panel gave, in their order. */
export interface PanelData {
  readonly panel: Panel;
  readonly results: readonly (readonly Series[])[];
  readonly range: TimeRange;
}

interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Line {
  readonly name: string;
  readonly colour: string;
  readonly series: Series;
}

const LEGEND_PX = 13;
const MOST_LEGENDS = 4;

/** A panel as SVG: not Grafana's looks, but its numbers. */
export function drawPanel(data: PanelData, box: Box): string {
  const inner = { x: box.x + 8, y: box.y + 24, w: box.w - 16, h: box.h - 32 };
  return [
    `<rect x="${box.x}" y="${box.y}" width="${box.w}" height="${box.h}" rx="3" fill="#fff" stroke="#d8d9dd"/>`,
    text(box.x + 8, box.y + 16, data.panel.title, 'font-weight="600"'),
    data.results.every((result) => result.length === 0)
      ? text(inner.x, inner.y + 14, "no data", 'fill="#8e8e99"')
      : body(data, inner),
  ].join("\n");
}

function body(data: PanelData, box: Box): string {
  switch (data.panel.type) {
    case "stat":
      return stat(data, box);
    case "bargauge":
      return bars(data, box);
    case "table":
      return table(data, box);
    case "state-timeline":
      return timeline(data, box);
    case "heatmap":
      return heatmap(data, box);
    default:
      return lines(data, box);
  }
}

function stat({ panel, results }: PanelData, { x, y, w, h }: Box): string {
  const value = results[0]?.[0]?.points.at(-1)?.[1] ?? Number.NaN;
  const colour = thresholdColour(value, stepsOf(panel));
  return [
    `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="3" fill="${colour}"/>`,
    text(
      x + w / 2,
      y + h / 2 + 10,
      formatValue(value, unitOf(panel)),
      'text-anchor="middle" font-size="28" fill="#fff"',
    ),
  ].join("\n");
}

function lines(data: PanelData, box: Box): string {
  const { panel, range } = data;
  const all = linesOf(data);
  const shown = all.slice(0, MOST_LEGENDS);
  const plot = {
    ...box,
    x: box.x + 44,
    w: box.w - 44,
    h: box.h - LEGEND_PX * (shown.length + (all.length > shown.length ? 1 : 0)) - 14,
  };
  const stacked = defaultsOf(panel).custom?.stacking?.mode === "normal";
  const heights = stacked ? stack(all) : all.map(({ series }) => series.points);
  const values = heights
    .flat()
    .map(([, value]) => value)
    .filter((value) => Number.isFinite(value));
  const low = Math.min(0, ...values);
  const high = Math.max(defaultsOf(panel).max ?? 0, ...values, low + 1e-9);
  const at = (time: number): number => plot.x + ((time - range.from) / (range.to - range.from)) * plot.w;
  const up = (value: number): number => plot.y + plot.h - ((value - low) / (high - low)) * plot.h;
  const drawn = all.map(({ colour }, nth) =>
    path(heights[nth] ?? [], stacked ? (heights[nth - 1] ?? null) : null, { at, up, colour, stacked }),
  );
  return [
    ...[low, (low + high) / 2, high].map((value) => grid(plot, up(value), formatValue(value, unitOf(panel)))),
    ...drawn,
    ...shown.map(({ name, colour, series }, nth) => {
      const top = plot.y + plot.h + 14 + LEGEND_PX * nth;
      const last = formatValue(series.points.at(-1)?.[1] ?? Number.NaN, unitOf(panel));
      return `<rect x="${box.x}" y="${top}" width="10" height="4" fill="${colour}"/>${text(box.x + 15, top + 6, `${name}: ${last}`, 'font-size="10"')}`;
    }),
    ...(all.length > shown.length
      ? [
          text(
            box.x + 15,
            plot.y + plot.h + 20 + LEGEND_PX * shown.length,
            `and ${all.length - shown.length} more`,
            'font-size="10" fill="#8e8e99"',
          ),
        ]
      : []),
  ].join("\n");
}

interface Scale {
  readonly at: (time: number) => number;
  readonly up: (value: number) => number;
  readonly colour: string;
  readonly stacked: boolean;
}

function path(points: Series["points"], below: Series["points"] | null, { at, up, colour, stacked }: Scale): string {
  const sound = points.filter(([, value]) => Number.isFinite(value));
  if (sound.length === 0) return "";
  const top = sound.map(([time, value]) => `${at(time).toFixed(1)},${up(value).toFixed(1)}`);
  if (!stacked) return `<polyline points="${top.join(" ")}" fill="none" stroke="${colour}" stroke-width="1.5"/>`;
  const ground = new Map(below ?? []);
  const bottom = sound.map(([time]) => `${at(time).toFixed(1)},${up(ground.get(time) ?? 0).toFixed(1)}`).toReversed();
  return `<polygon points="${[...top, ...bottom].join(" ")}" fill="${colour}" fill-opacity="0.6" stroke="${colour}"/>`;
}

/** Each line's heights with those below it. */
function stack(all: readonly Line[]): Series["points"][] {
  const sums = new Map<number, number>();
  return all.map(({ series }) =>
    series.points.map(([time, value]) => {
      const sum = (sums.get(time) ?? 0) + (Number.isFinite(value) ? value : 0);
      sums.set(time, sum);
      return [time, sum] as const;
    }),
  );
}

function grid({ x, w }: Box, y: number, label: string): string {
  return `<line x1="${x}" y1="${y}" x2="${x + w}" y2="${y}" stroke="#eceef0"/>${text(x - 4, y + 3, label, 'font-size="9" text-anchor="end" fill="#8e8e99"')}`;
}

function bars(data: PanelData, { x, y, w }: Box): string {
  return linesOf(data)
    .slice(0, 14)
    .map(({ name, series }, nth) => {
      const value = series.points.at(-1)?.[1] ?? 0;
      const top = y + nth * 18;
      const colour = value < 0.5 ? colourOf("red") : value < 0.95 ? colourOf("yellow") : colourOf("green");
      return [
        text(x, top + 12, name, 'font-size="10"'),
        `<rect x="${x + w * 0.45}" y="${top + 3}" width="${Math.max(1, w * 0.4 * value)}" height="12" fill="${colour}"/>`,
        text(x + w, top + 12, formatValue(value, unitOf(data.panel)), 'font-size="10" text-anchor="end"'),
      ].join("");
    })
    .join("\n");
}

function table({ panel, results }: PanelData, { x, y, w, h }: Box): string {
  const rows = new Map<string, { readonly labels: Series["labels"]; readonly values: (number | null)[] }>();
  for (const [nth, result] of results.entries()) {
    for (const { labels, points } of result) {
      const key = JSON.stringify(labels);
      const found = rows.get(key) ?? { labels, values: results.map(() => null) };
      found.values[nth] = points.at(-1)?.[1] ?? null;
      rows.set(key, found);
    }
  }
  const sorted = [...rows.values()].toSorted((a, b) => (b.values[0] ?? 0) - (a.values[0] ?? 0));
  const names = [...new Set(sorted.flatMap(({ labels }) => Object.keys(labels)))];
  const titles = [...names, ...valueNames(panel, results.length)];
  const cells = [
    titles,
    ...sorted.map(({ labels, values }) => [
      ...names.map((name) => labels[name] ?? ""),
      ...values.map((value, nth) => valueText(panel, titles[names.length + nth] ?? "", value)),
    ]),
  ];
  return cells
    .slice(0, Math.floor(h / 15))
    .flatMap((row, nth) =>
      row.map((cell, column) =>
        text(
          x + (column * w) / titles.length,
          y + 12 + nth * 15,
          cell,
          `font-size="10"${nth === 0 ? ' font-weight="600"' : ""}`,
        ),
      ),
    )
    .join("\n");
}

function valueText(panel: Panel, title: string, value: number | null): string {
  if (value === null) return "";
  const units = (panel as { fieldConfig?: { overrides?: readonly Override[] } }).fieldConfig?.overrides ?? [];
  const unit = units
    .find(({ matcher }) => matcher.options === title)
    ?.properties.find(({ id }) => id === "unit")?.value;
  return formatValue(unit === undefined ? Math.round(value) : value, typeof unit === "string" ? unit : unitOf(panel));
}

interface Override {
  readonly matcher: { readonly options: string };
  readonly properties: readonly { readonly id: string; readonly value: unknown }[];
}

/** As the panel's own transformation calls them. */
function valueNames(panel: Panel, count: number): string[] {
  const { transformations = [] } = panel as { transformations?: readonly { readonly options: Json }[] };
  const renamed = Object.assign({}, ...transformations.map(({ options }) => options["renameByName"] ?? {})) as Record<
    string,
    string
  >;
  return Array.from(
    { length: count },
    (_, nth) => renamed[`Value #${String.fromCodePoint(65 + nth)}`] ?? renamed["Value"] ?? "value",
  );
}

function timeline(data: PanelData, { x, y, w, h }: Box): string {
  const { panel, range } = data;
  const all = linesOf(data);
  const height = Math.min(22, h / Math.max(1, all.length));
  const label = 140;
  const at = (time: number): number => x + label + ((time - range.from) / (range.to - range.from)) * (w - label);
  return all
    .map(({ name, series }, nth) => {
      const top = y + nth * height;
      const width = ((w - label) * range.step) / (range.to - range.from) + 0.6;
      const cells = series.points.map(
        ([time, value]) =>
          `<rect x="${at(time).toFixed(1)}" y="${top}" width="${width.toFixed(1)}" height="${height - 3}" fill="${thresholdColour(value, stepsOf(panel))}"/>`,
      );
      return `${text(x, top + height / 2 + 3, name, 'font-size="10"')}${cells.join("")}`;
    })
    .join("\n");
}

function heatmap(data: PanelData, { x, y, w, h }: Box): string {
  const { range, results } = data;
  const buckets = [...(results[0] ?? [])]
    .toSorted((a, b) => Number(a.labels["le"]) - Number(b.labels["le"]))
    .filter(({ labels }) => labels["le"] !== "+Inf");
  const own = buckets.map(({ points }, nth) => {
    const below = new Map(buckets[nth - 1]?.points ?? []);
    return points.map(([time, value]) => [time, Math.max(0, value - (below.get(time) ?? 0))] as const);
  });
  const most = Math.max(1e-9, ...own.flat().map(([, value]) => value));
  const height = h / Math.max(1, buckets.length);
  const label = 40;
  const width = ((w - label) * range.step) / (range.to - range.from) + 0.6;
  return own
    .map((points, nth) => {
      const top = y + h - (nth + 1) * height;
      const cells = points
        .filter(([, value]) => value > 0)
        .map(([time, value]) => {
          const left = x + label + ((time - range.from) / (range.to - range.from)) * (w - label);
          return `<rect x="${left.toFixed(1)}" y="${top.toFixed(1)}" width="${width.toFixed(1)}" height="${(height - 0.5).toFixed(1)}" fill="#3274d9" fill-opacity="${(0.15 + (0.85 * value) / most).toFixed(2)}"/>`;
        });
      return `${text(x, top + height - 1, formatValue(Number(buckets[nth]?.labels["le"]), "s"), 'font-size="8" fill="#8e8e99"')}${cells.join("")}`;
    })
    .join("\n");
}

function linesOf({ panel, results }: PanelData): Line[] {
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

interface Defaults {
  readonly unit?: string;
  readonly max?: number;
  readonly custom?: { readonly stacking?: { readonly mode?: string } };
  readonly thresholds?: { readonly steps: readonly Threshold[] };
}

function defaultsOf(panel: Panel): Defaults {
  return (panel as { fieldConfig?: { defaults?: Defaults } }).fieldConfig?.defaults ?? {};
}

function unitOf(panel: Panel): string {
  return defaultsOf(panel).unit ?? "short";
}

function stepsOf(panel: Panel): readonly Threshold[] {
  return defaultsOf(panel).thresholds?.steps ?? [];
}

function text(x: number, y: number, content: string, more = ""): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${more}>${escaped(content)}</text>`;
}
