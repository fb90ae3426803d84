import { durationSchema } from "../../base/duration.ts";
import { type ValuesOf, withDefault, withoutDefault } from "../../base/setting.ts";
import { folderSchema } from "../../base/text-schemas.ts";
import { DAY, HOUR } from "../../base/time.ts";

export interface AuditSettings {
  /** Null: the audit log is only in Redis. */
  readonly dir: string | null;
  /** How long entries stay in Redis. Default 30 days. */
  readonly keepMs: number;
}

export const AUDIT_SETTINGS = {
  AUDIT_DIR: withoutDefault(folderSchema, {
    meaning: "Folder of the audit log's files, a worker's own or shared. Unset: the log is only in Redis.",
  }),
  AUDIT_KEEP: withDefault(durationSchema({ least: HOUR, most: 3_650 * DAY }), "30d", {
    meaning: "How long audit entries stay in Redis. With `AUDIT_DIR`, only what its files have is taken out.",
  }),
};

export function auditSettings(values: ValuesOf<typeof AUDIT_SETTINGS>): AuditSettings {
  return { dir: values.AUDIT_DIR ?? null, keepMs: values.AUDIT_KEEP };
}
