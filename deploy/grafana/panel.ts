/** What this dashboard uses of Grafana's panel model (schemaVersion 41). Written as Grafana's own field names. */
export interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: Place;
  readonly datasource?: typeof DATASOURCE;
  readonly targets?: readonly Target[];
  readonly [option: string]: unknown;
}

/** A place in 24 columns; rows are about 30 px high. */
interface Place {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface Target {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly instant: boolean;
  readonly range: boolean;
  readonly format: "time_series" | "table" | "heatmap";
  /** Shows the traces of calls, as dots that lead to them. */
  readonly exemplar?: true;
  readonly datasource: typeof DATASOURCE;
}

/** The series whose samples have traces (docs/traces.md). */
const TRACED = "satyapan_call_duration_seconds_bucket";

/** What a link keeps of the dashboard that it is followed from. */
const KEPT = "${__url_time_range}&${__all_variables}";

/** The uid is fixed in provisioning/datasources/prometheus.yml. */
export const DATASOURCE = { type: "prometheus", uid: "satyapan-prometheus" } as const;

/** One query: PromQL, and the text of a series from its labels (`{{operation}}`). */
export type Query = readonly [expr: string, legend: string];

export interface PanelSpec {
  readonly type: "stat" | "timeseries" | "bargauge" | "table" | "state-timeline" | "heatmap";
  readonly title: string;
  readonly description: string;
  readonly w: number;
  readonly h: number;
  /** Grafana's unit id: `percentunit` is 0–1, `reqps` per second, `s` seconds, `short` a plain number. */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** The uid of the dashboard that tells more. */
  readonly link?: string;
  /** `instant`: one value now; else a line over time. */
  readonly instant?: boolean;
  readonly options?: Json;
  /** `fieldConfig.defaults` and `.overrides`. */
  readonly defaults?: Json;
  readonly overrides?: readonly Json[];
  readonly transformations?: readonly Json[];
}

export type Json = Readonly<Record<string, unknown>>;

/** A titled row of panels; they fill 24 columns from the left and go on below. */
export interface RowSpec {
  readonly title: string;
  readonly panels: readonly PanelSpec[];
}

/** Places rows below each other and numbers the panels. */
export function layOut(rows: readonly RowSpec[]): Panel[] {
  const panels: Panel[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title: row.title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: 24, h: 1 },
    });
    y++;
    let x = 0;
    let height = 0;
    for (const spec of row.panels) {
      if (x + spec.w > 24) {
        y += height;
        x = 0;
        height = 0;
      }
      panels.push(panelOf(spec, panels.length + 1, { x, y, w: spec.w, h: spec.h }));
      x += spec.w;
      height = Math.max(height, spec.h);
    }
    y += height;
  }
  return panels;
}

function panelOf(spec: PanelSpec, id: number, gridPos: Place): Panel {
  const { type, title, description, unit, instant = false } = spec;
  return {
    id,
    type,
    title,
    description,
    gridPos,
    datasource: DATASOURCE,
    targets: spec.queries.map(([expr, legendFormat], index) => ({
      refId: String.fromCodePoint(65 + index), // A, B, …
      expr,
      legendFormat,
      instant,
      range: !instant,
      format: type === "table" || type === "heatmap" ? type : "time_series",
      ...(!instant && expr.includes(TRACED) ? { exemplar: true as const } : {}),
      datasource: DATASOURCE,
    })),
    fieldConfig: { defaults: { unit, ...spec.defaults }, overrides: spec.overrides ?? [] },
    options: spec.options ?? {},
    ...(spec.link === undefined
      ? {}
      : { links: [{ title: "More", url: `/d/${spec.link}?${KEPT}`, targetBlank: false }] }),
    ...(spec.transformations === undefined ? {} : { transformations: spec.transformations }),
  };
}
