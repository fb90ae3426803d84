import { z } from "zod";

// What Grafana's provisioning files may say, strictly: by its manual, "Provision Grafana", from the commented examples "Example
// data source configuration file" and "Dashboards" (https://grafana.com/docs/grafana/latest/administration/provisioning/), and the
// tables "JSON data" there for what is Prometheus'. Grafana passes names over that it does not know: a slip would not be told.

const DURATION = /^\d+(ms|s|m|h)$/;

/** "Not all data sources have the same configuration settings": of those in the table, Prometheus'. */
const PrometheusJson = z.strictObject({
  /** "Lowest interval/step value that should be used for this data source." */
  timeInterval: z.string().regex(DURATION).optional(),
  httpMethod: z.enum(["GET", "POST"]).optional(),
  customQueryParameters: z.string().optional(),
  manageAlerts: z.boolean().optional(),
  alertmanagerUid: z.string().optional(),
  prometheusType: z.enum(["Prometheus", "Cortex", "Mimir", "Thanos"]).optional(),
  prometheusVersion: z.string().optional(),
  cacheLevel: z.enum(["Low", "Medium", "High", "None"]).optional(),
  /** Of "Configure the Prometheus data source": where an exemplar's trace is. */
  exemplarTraceIdDestinations: z
    .array(z.strictObject({ name: z.string(), datasourceUid: z.string().optional(), url: z.string().optional() }))
    .optional(),
});

export const DatasourcesFile = z.strictObject({
  apiVersion: z.literal(1),
  prune: z.boolean().optional(),
  deleteDatasources: z.array(z.strictObject({ name: z.string(), orgId: z.int() })).optional(),
  datasources: z.array(
    z.strictObject({
      // "<string, required>", all three.
      name: z.string(),
      type: z.literal("prometheus"),
      access: z.enum(["proxy", "direct"]),
      orgId: z.int().optional(),
      uid: z
        .string()
        .regex(/^[\w-]{1,40}$/)
        .optional(),
      url: z.url().optional(),
      basicAuth: z.boolean().optional(),
      basicAuthUser: z.string().optional(),
      withCredentials: z.boolean().optional(),
      isDefault: z.boolean().optional(),
      jsonData: PrometheusJson.optional(),
      secureJsonData: z.record(z.string(), z.string()).optional(),
      version: z.int().optional(),
      editable: z.boolean().optional(),
    }),
  ),
});

export const DashboardsFile = z.strictObject({
  apiVersion: z.literal(1),
  providers: z.array(
    z.strictObject({
      /** "An unique provider name. Required". */
      name: z.string(),
      orgId: z.int().optional(),
      folder: z.string().optional(),
      folderUid: z.string().optional(),
      type: z.literal("file").optional(),
      disableDeletion: z.boolean().optional(),
      updateIntervalSeconds: z.int().positive().optional(),
      allowUiUpdates: z.boolean().optional(),
      /** "Path to dashboard files on disk. Required when using the 'file' type". */
      options: z.strictObject({ path: z.string().startsWith("/"), foldersFromFilesStructure: z.boolean().optional() }),
    }),
  ),
});
