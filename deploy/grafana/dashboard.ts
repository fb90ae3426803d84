// `node deploy/grafana/dashboard.ts > deploy/grafana/dashboards/satyapan.json`; a test holds the two together.
import { DATASOURCE, layOut, type Json, type Panel } from "./panel.ts";
import { CALL_FLOW, GLANCE, JOB_FLOW, LIMITS, PRIVACY, SUCCESS } from "./rows.ts";

export interface Dashboard extends Json {
  readonly uid: string;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly Variable[] };
}

/** What an operator may choose above the panels; several values, or all. */
interface Variable extends Json {
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

/** The first dashboard: how calls end, how long jobs wait, what is held. Metrics and labels are those of design §6. */
export const DASHBOARD: Dashboard = {
  uid: "satyapan",
  title: "Satyapan",
  description: "OTP and verification calls to Eko and Deepvue.",
  tags: ["satyapan"],
  schemaVersion: 41,
  version: 1,
  editable: false,
  graphTooltip: 1, // one crosshair for all panels
  timezone: "browser",
  refresh: "30s",
  time: { from: "now-1h", to: "now" },
  annotations: { list: [] },
  links: [],
  templating: {
    list: [
      variable("provider", "Provider", "label_values(satyapan_calls_total, provider)"),
      variable("operation", "Operation", 'label_values(satyapan_calls_total{provider=~"$provider"}, operation)'),
    ],
  },
  panels: layOut([GLANCE, SUCCESS, CALL_FLOW, JOB_FLOW, LIMITS, PRIVACY]),
};

/** The file that Grafana is given. */
export function dashboardJson(): string {
  return `${JSON.stringify(DASHBOARD, null, 2)}\n`;
}

if (import.meta.main) process.stdout.write(dashboardJson());
