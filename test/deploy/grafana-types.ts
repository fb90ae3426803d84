import type {
  AnnotationQuery,
  Dashboard,
  FieldConfig,
  Panel,
  RowPanel,
  TableFieldOptions,
  VariableModel,
} from "@grafana/schema";
import type { Options as BarGauge } from "@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen";
import type {
  FieldConfig as HeatmapField,
  Options as Heatmap,
} from "@grafana/schema/dist/esm/raw/composable/heatmap/panelcfg/x/HeatmapPanelCfg_types.gen";
import type {
  FieldConfig as TimelineField,
  Options as Timeline,
} from "@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen";
import type { Options as Stat } from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type { Options as Table } from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type {
  FieldConfig as TimeSeriesField,
  Options as TimeSeries,
} from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

/** Grafana's own types as JSON may have them: enums as their values, and what Grafana has a default for left out. */
type Plain<T> = T extends string
  ? `${T}`
  : T extends number
    ? T extends infer N extends number
      ? N
      : never
    : T extends readonly (infer Item)[]
      ? readonly Plain<Item>[]
      : T extends object
        ? { readonly [Key in keyof T as string extends Key ? never : Key]?: Plain<T[Key]> } & Loose<T>
        : T;
/** A map keeps that any name is right in it. */
type Loose<T> = string extends keyof T ? { readonly [name: string]: Plain<T[keyof T]> } : unknown;

/** What the query editor of the Prometheus data source writes; its schema is not on npm. */
interface PrometheusTarget {
  readonly refId: string;
  readonly expr: string;
  readonly legendFormat: string;
  readonly instant: boolean;
  readonly range: boolean;
  readonly exemplar?: boolean;
  readonly format: "time_series" | "table" | "heatmap";
  readonly datasource: Panel["datasource"];
}

type Known = Plain<Omit<FieldConfig, "custom">>;

interface Override<Custom> {
  readonly matcher: { readonly id: "byName" | "byRegexp" | "byFrameRefID"; readonly options: string };
  readonly properties: readonly {
    readonly id: keyof Known | `custom.${keyof Custom & string}`;
    readonly value: unknown;
  }[];
}

/** Kinds of panels that draw no field in a way of its own. */
interface None {
  readonly none?: never;
}

/** A panel of one kind: nothing stands in it that this kind does not know. */
type PanelOf<Type extends string, Options, Custom = None> = Plain<
  Omit<Panel, "type" | "options" | "fieldConfig" | "targets" | "transformations">
> & {
  readonly type: Type;
  readonly options: Plain<Options>;
  readonly fieldConfig: {
    readonly defaults: Known & { readonly custom?: Plain<Custom> };
    readonly overrides: readonly Override<Custom>[];
  };
  readonly targets: readonly PrometheusTarget[];
  readonly transformations?: Panel["transformations"];
};

type AnyPanel =
  | (Omit<Plain<RowPanel>, "type"> & { readonly type: "row" })
  | PanelOf<"bargauge", BarGauge>
  | PanelOf<"heatmap", Heatmap, HeatmapField>
  | PanelOf<"stat", Stat>
  | PanelOf<"state-timeline", Timeline, TimelineField>
  | PanelOf<"table", Table, TableFieldOptions>
  | PanelOf<"timeseries", TimeSeries, TimeSeriesField>;

/** A dashboard's JSON as the Grafana of docker-compose.yml reads it. */
export type GrafanaDashboard = Plain<Omit<Dashboard, "panels" | "annotations" | "templating">> & {
  readonly panels: readonly AnyPanel[];
  /** `expr` and `titleFormat` are the Prometheus data source's. */
  readonly annotations: {
    readonly list: readonly (Plain<AnnotationQuery> & { readonly expr: string; readonly titleFormat: string })[];
  };
  /** `definition` is what Grafana shows of `query`. */
  readonly templating: { readonly list: readonly (Plain<VariableModel> & { readonly definition: string })[] };
};
