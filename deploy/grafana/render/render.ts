import type { Dashboard } from "../dashboards.ts";
import { drawPanel } from "./draw.ts";
import type { PanelData } from "./panel-data.ts";
import { fillIn, queryInstant, queryRange, type TimeRange } from "./prometheus.ts";
import { escaped } from "./format.ts";

const COLUMN_PX = 50;
const ROW_PX = 30;
const GAP_PX = 6;

export interface RenderOptions {
  /** Prometheus' address. */
  readonly url: string;
  readonly range: TimeRange;
  /** Of `rate`, in seconds: four scrapes, as Grafana takes it. */
  readonly rateIntervalS: number;
}

/** A dashboard's panels in one picture, from the same queries that Grafana runs. Throws where one is no PromQL. */
export async function renderDashboard(dashboard: Dashboard, options: RenderOptions): Promise<string> {
  const bottom = Math.max(...dashboard.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
  const height = bottom * ROW_PX + 40;
  const parts: string[] = [];
  for (const panel of dashboard.panels) {
    const { x, y, w, h } = panel.gridPos;
    const box = { x: x * COLUMN_PX, y: y * ROW_PX + 36, w: w * COLUMN_PX - GAP_PX, h: h * ROW_PX - GAP_PX };
    if (panel.type === "row") {
      parts.push(
        `<text x="${box.x + 4}" y="${box.y + 18}" font-size="14" font-weight="600">${escaped(panel.title)}</text>`,
      );
    } else {
      parts.push(drawPanel(await panelData(panel, options), box));
    }
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${24 * COLUMN_PX}" height="${height}" font-family="sans-serif" font-size="12" fill="#24292e">`,
    `<rect width="100%" height="100%" fill="#f4f5f5"/>`,
    `<text x="4" y="22" font-size="18" font-weight="600">${escaped(dashboard.title)}</text>`,
    ...parts,
    "</svg>\n",
  ].join("\n");
}

/** What the queries of a panel give. */
export async function panelData(panel: Dashboard["panels"][number], options: RenderOptions): Promise<PanelData> {
  const { url, range, rateIntervalS } = options;
  const results = [];
  for (const { expr, instant } of panel.targets ?? []) {
    const filled = fillIn(expr, `${Math.round(range.to - range.from)}s`, `${rateIntervalS}s`);
    results.push(instant ? await queryInstant(url, filled, range.to) : await queryRange(url, filled, range));
  }
  return { panel, results, range };
}
