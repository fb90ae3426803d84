// `npx node deploy/prometheus/rules.ts` writes deploy/prometheus/rules.yml and docs/runbooks; a test holds them together.
import { writeFileSync } from "node:fs";
import { stringify } from "yaml";
import type { Alert } from "./alerts/alert.ts";
import { BATCH_ALERTS } from "./alerts/batches.ts";
import { JOB_ALERTS } from "./alerts/jobs.ts";
import { OBJECTIVE_ALERTS } from "./alerts/objectives.ts";
import { PROVIDER_ALERTS } from "./alerts/providers.ts";
import { REDIS_ALERTS } from "./alerts/redis.ts";
import { WORKER_ALERTS } from "./alerts/workers.ts";

const GROUPS: Readonly<Record<string, readonly Alert[]>> = {
  redis: REDIS_ALERTS,
  workers: WORKER_ALERTS,
  providers: PROVIDER_ALERTS,
  objectives: OBJECTIVE_ALERTS,
  jobs: JOB_ALERTS,
  batches: BATCH_ALERTS,
};
export const ALERTS: readonly Alert[] = Object.values(GROUPS).flat();

const HEAD = `# Written by deploy/prometheus/rules.ts. severity: page = somebody now, ticket = somebody today.
# Every worker says the same of queues, quotas and holds, so those gauges are joined with max, never sum.
`;

/** Of prometheus.yml's external labels: where Grafana is, and where the runbooks. */
const DASHBOARD = "{{ $externalLabels.grafana }}/d/";
const RUNBOOK = "{{ $externalLabels.runbooks }}/";

/** The file that Prometheus is given. */
export function rulesYaml(): string {
  const groups = Object.entries(GROUPS).map(([name, alerts]) => ({
    name: `satyapan-${name}`,
    rules: alerts.map(rule),
  }));
  return HEAD + stringify({ groups }, { lineWidth: 120 });
}

function rule(alert: Alert) {
  const { name, expr, severity, layer, isRoot, slo, summary, description, dashboard } = alert;
  const provider = summary.includes("$labels.provider") ? "?var-provider={{ $labels.provider }}" : "";
  return {
    alert: `Satyapan${name}`,
    expr,
    ...(alert.for === undefined ? {} : { for: alert.for }),
    labels: { severity, layer, ...(isRoot === true ? { root: "true" } : {}), ...(slo === undefined ? {} : { slo }) },
    annotations: {
      ...{ summary, description },
      dashboard_url: `${DASHBOARD}${dashboard}${provider}`,
      runbook_url: `${RUNBOOK}${runbookName(alert)}`,
    },
  };
}

/** The file's name: `RedisDown` → `redis-down.md`. The burn rates of one objective share theirs. */
export function runbookName({ name, slo }: Alert): string {
  const stem = slo === undefined ? name : name.replace(/(Fast|Steady|Slow)$/, "");
  return `${stem.replaceAll(/(?<=[a-z])(?=[A-Z])/g, "-").toLowerCase()}.md`;
}

/** Each runbook's text, by its file's name. */
export function runbooks(): ReadonlyMap<string, string> {
  const byName = Map.groupBy(ALERTS, runbookName);
  return new Map(Array.from(byName, ([file, alerts]) => [file, runbookText(alerts)]));
}

function runbookText(alerts: readonly Alert[]): string {
  const [alert] = alerts;
  if (alert === undefined) return "";
  const { runbook, description } = alert;
  const title = alerts.map(({ name, severity }) => `Satyapan${name} (${severity})`).join(", ");
  const said = alerts.length === 1 ? description : description.replace(/ At this rate.*$/, "");
  return [
    `# ${title}`,
    `${said}\n\n${runbook.means}`,
    `## First look\n\n\`\`\`sh\n${runbook.look.join("\n")}\n\`\`\``,
    `## Mend\n\n${runbook.mend.map((step) => `- ${step}`).join("\n")}`,
    `## Over\n\n${runbook.over}\n`,
  ].join("\n\n");
}

if (import.meta.main) {
  const root = new URL("../../", import.meta.url);
  writeFileSync(new URL("deploy/prometheus/rules.yml", root), rulesYaml());
  for (const [file, text] of runbooks()) writeFileSync(new URL(`docs/runbooks/${file}`, root), text);
}
