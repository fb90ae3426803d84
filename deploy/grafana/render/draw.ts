import { colourOf, thresholdColour } from "./colours.ts";
import { heatmap, table, timeline } from "./draw-cells.ts";
import { formatValue } from "./format.ts";
import { type Box, defaultsOf, type Line, linesOf, type PanelData, stepsOf, text, unitOf } from "./panel-data.ts";
import type { Series } from "./prometheus.ts";

const LEGEND_PX = 13;
const MOST_LEGENDS = 4;

/** A panel as SVG: not Grafana's looks, but its numbers. */
export function drawPanel(data: PanelData, box: Box): string {
  const inner = { x: box.x + 8, y: box.y + 24, w: box.w - 16, h: box.h - 32 };
  return [
    `<rect x="${box.x}" y="${box.y}" width="${box.w}" height="${box.h}" rx="3" fill="#fff" stroke="#d8d9dd"/>`,
    text(box.x + 8, box.y + 16, data.panel.title, 'font-weight="600"'),
    data.results.every((result) => result.length === 0)
      ? text(inner.x, inner.y + 14, defaultsOf(data.panel).noValue ?? "no data", 'fill="#8e8e99"')
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
      formatValue(value, unitOf(panel), defaultsOf(panel).decimals),
      'text-anchor="middle" font-size="28" fill="#fff"',
    ),
  ].join("\n");
}

function lines(data: PanelData, box: Box): string {
  const { panel, range } = data;
  const all = linesOf(data);
  const shown = all.toSorted((a, b) => lastOf(b) - lastOf(a)).slice(0, MOST_LEGENDS);
  const plot = {
    ...box,
    x: box.x + 44,
    w: box.w - 44,
    h: box.h - LEGEND_PX * (shown.length + (all.length > shown.length ? 1 : 0)) - 14,
  };
  const { stacking, axisSoftMin = 0, axisSoftMax = 0 } = defaultsOf(panel).custom ?? {};
  const stacked = stacking?.mode === "normal";
  const heights = stacked ? stack(all) : all.map(({ series }) => series.points);
  const values = heights
    .flat()
    .map(([, value]) => value)
    .filter((value) => Number.isFinite(value));
  const low = Math.min(axisSoftMin, ...values);
  const highest = Math.max(defaultsOf(panel).max ?? axisSoftMax, ...values);
  const high = highest > low ? highest : low + 1;
  const at = (time: number): number => plot.x + ((time - range.from) / (range.to - range.from)) * plot.w;
  const up = (value: number): number => plot.y + plot.h - ((value - low) / (high - low)) * plot.h;
  const drawn = all.map(({ colour }, nth) =>
    path(heights[nth] ?? [], stacked ? (heights[nth - 1] ?? null) : null, {
      at,
      up,
      colour,
      stacked,
      step: range.step,
    }),
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

function lastOf({ series }: Line): number {
  const value = series.points.at(-1)?.[1] ?? 0;
  return Number.isFinite(value) ? value : 0;
}

interface Scale {
  readonly at: (time: number) => number;
  readonly up: (value: number) => number;
  readonly colour: string;
  readonly stacked: boolean;
  /** Between two points, in s. */
  readonly step: number;
}

function path(
  points: Series["points"],
  below: Series["points"] | null,
  { at, up, colour, stacked, step }: Scale,
): string {
  const sound = points.filter(([, value]) => Number.isFinite(value));
  if (sound.length === 0) return "";
  const placed = ([time, value]: Series["points"][number]): string => `${at(time).toFixed(1)},${up(value).toFixed(1)}`;
  if (!stacked) {
    // A gap is a gap: nothing is known of it.
    const parts = sound.reduce<Series["points"][number][][]>((all, point) => {
      const last = all.at(-1);
      if (last === undefined || point[0] - (last.at(-1)?.[0] ?? 0) > 1.5 * step) all.push([point]);
      else last.push(point);
      return all;
    }, []);
    return parts
      .map(
        (part) =>
          `<polyline points="${part.map(placed).join(" ")}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
      )
      .join("");
  }
  const top = sound.map(placed);
  const ground = new Map(below ?? []);
  const bottom = sound.map(([time]) => `${at(time).toFixed(1)},${up(ground.get(time) ?? 0).toFixed(1)}`).toReversed();
  return `<polygon points="${[...top, ...bottom].join(" ")}" fill="${colour}" fill-opacity="0.7"/>`;
}

/** Each line's heights with those below it, at all times that any of them has. */
function stack(all: readonly Line[]): Series["points"][] {
  const times = [...new Set(all.flatMap(({ series }) => series.points.map(([time]) => time)))].toSorted(
    (a, b) => a - b,
  );
  const sums = new Map<number, number>();
  return all.map(({ series }) => {
    const own = new Map(series.points);
    return times.map((time) => {
      const value = own.get(time) ?? 0;
      const sum = (sums.get(time) ?? 0) + (Number.isFinite(value) ? value : 0);
      sums.set(time, sum);
      return [time, sum] as const;
    });
  });
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
