// `npm run dashboards` writes deploy/grafana/dashboards; a test holds them together. `--render DIR` draws them, too: render.
import { BATCHES } from "./batches.ts";
import { OVERVIEW } from "./overview.ts";
import { DATASOURCE, layOut, type Json, type Panel, type RowSpec } from "./panel.ts";
import { PROVIDER } from "./provider.ts";
import { WORKERS_AND_REDIS } from "./workers.ts";

export interface Dashboard extends Json {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

/** What an operator may choose above the panels; several values, or all. */
export interface Variable extends Json {
  readonly name: string;
  readonly definition: string;
}

function variable(name: string, label: string, definition: string): Variable {
  return {
    type: "query",
    name,
    label,
    datasource: DATASOURCE,
    definition,
    query: { query: definition, refId: `variable-${name}`, qryType: 1 },
    refresh: 2, // whenever the time range changes
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: ".*", // holds also where nothing was counted yet
    current: { text: ["All"], value: ["$__all"] },
    options: [],
  };
}

const PROVIDER_VARIABLES = [
  variable("provider", "Provider", "label_values(satyapan_calls_total, provider)"),
  variable("operation", "Operation", 'label_values(satyapan_calls_total{provider=~"$provider"}, operation)'),
];

const SHARED = {
  tags: ["satyapan"],
  schemaVersion: 41,
  version: 1,
  editable: false,
  graphTooltip: 1, // one crosshair for all panels
  timezone: "browser",
  refresh: "30s",
  time: { from: "now-1h", to: "now" },
  annotations: {
    list: [
      {
        name: "Alerts",
        datasource: DATASOURCE,
        enable: true,
        iconColor: "red",
        expr: 'ALERTS{alertname=~"Satyapan.*",alertstate="firing"}',
        titleFormat: "{{alertname}}",
      },
    ],
  },
  links: [
    { title: "Satyapan", type: "dashboards", tags: ["satyapan"], asDropdown: false, includeVars: true, keepTime: true },
  ],
};

function dashboard(
  words: { readonly uid: string; readonly title: string; readonly description: string },
  list: readonly Variable[],
  rows: readonly RowSpec[],
): Dashboard {
  return { ...words, ...SHARED, templating: { list }, panels: layOut(rows) };
}

/** All of them, by their files' names. Metrics and labels are those of design §6. */
export const DASHBOARDS: Readonly<Record<string, Dashboard>> = {
  "satyapan-overview": dashboard(
    { uid: "satyapan-overview", title: "Satyapan: overview", description: "Is anyone hurt now, and by what?" },
    PROVIDER_VARIABLES,
    OVERVIEW,
  ),
  "satyapan-provider": dashboard(
    {
      uid: "satyapan-provider",
      title: "Satyapan: provider",
      description: "Eko's and Deepvue's calls, gates and quotas.",
    },
    PROVIDER_VARIABLES,
    PROVIDER,
  ),
  "satyapan-batches": dashboard(
    {
      uid: "satyapan-batches",
      title: "Satyapan: batches",
      description: "How far batches are, and whom they wait for.",
    },
    PROVIDER_VARIABLES,
    BATCHES,
  ),
  "satyapan-workers": dashboard(
    {
      uid: "satyapan-workers",
      title: "Satyapan: workers and Redis",
      description: "The processes, and what they stand on.",
    },
    [variable("instance", "Worker", "label_values(satyapan_worker_ready, instance)")],
    WORKERS_AND_REDIS,
  ),
};

/** The file that Grafana is given. */
export function dashboardJson(of: Dashboard): string {
  return `${JSON.stringify(of, null, 2)}\n`;
}
