import type { Json, Panel } from "../panel.ts";
import { thresholdColour } from "./colours.ts";
import { formatValue } from "./format.ts";
import { type Box, linesOf, type Override, type PanelData, stepsOf, text, unitOf } from "./panel-data.ts";
import type { Series } from "./prometheus.ts";

export function table({ panel, results }: PanelData, { x, y, w, h }: Box): string {
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
  const shown = cells.slice(0, Math.floor(h / 15));
  const starts = columnStarts(shown, w);
  return shown
    .flatMap((row, nth) =>
      row.map((cell, column) =>
        text(
          x + (starts[column] ?? 0),
          y + 12 + nth * 15,
          cell,
          `font-size="10"${nth === 0 ? ' font-weight="600"' : ""}`,
        ),
      ),
    )
    .join("\n");
}

/** Where each column begins: as wide as its longest text asks for. */
function columnStarts(rows: readonly (readonly string[])[], w: number): number[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)) + 3);
  const all = widths.reduce((sum, width) => sum + width, 0);
  let start = 0;
  return widths.map((width) => {
    const at = start;
    start += (width * w) / all;
    return at;
  });
}

function valueText(panel: Panel, title: string, value: number | null): string {
  if (value === null) return "";
  const units = (panel as { fieldConfig?: { overrides?: readonly Override[] } }).fieldConfig?.overrides ?? [];
  const unit = units
    .find(({ matcher }) => matcher.options === title)
    ?.properties.find(({ id }) => id === "unit")?.value;
  return formatValue(unit === undefined ? Math.round(value) : value, typeof unit === "string" ? unit : unitOf(panel));
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

export function timeline(data: PanelData, { x, y, w, h }: Box): string {
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

export function heatmap(data: PanelData, { x, y, w, h }: Box): string {
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
