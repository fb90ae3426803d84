import { z } from "zod";

/** What Alertmanager's webhook says: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
const Notification = z.object({
  receiver: z.string(),
  alerts: z.array(
    z.object({
      status: z.enum(["firing", "resolved"]),
      labels: z.record(z.string(), z.string()),
      annotations: z.record(z.string(), z.string()),
      startsAt: z.iso.datetime({ offset: true }),
      fingerprint: z.string(),
    }),
  ),
});

/** One time that one alert fired. */
export interface Page {
  /** The same as long as it fires; another when it fires again. */
  readonly key: string;
  readonly status: "firing" | "resolved";
  /** Without the `Satyapan` that each begins with. */
  readonly alert: string;
  readonly severity: string;
  readonly summary: string;
  readonly description: string;
  readonly runbook: string;
  readonly dashboard: string;
  readonly startsAt: string;
}

/** @throws {z.ZodError} where it is no notification. */
export function pagesOf(body: unknown): Page[] {
  return Notification.parse(body).alerts.map(({ status, labels, annotations, startsAt, fingerprint }) => {
    const { alertname = "", severity = "" } = labels;
    const { summary = "", description = "", runbook_url: runbook = "", dashboard_url: dashboard = "" } = annotations;
    const [alert, key] = [alertname.replace(/^Satyapan/, ""), `${fingerprint} ${startsAt}`];
    return { key, status, alert, severity, summary, description, runbook, dashboard, startsAt };
  });
}
