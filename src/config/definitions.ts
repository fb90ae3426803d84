import { z } from "zod";
import { aboutSetting, type Setting } from "../base/setting.ts";
import { LIMIT_SETTINGS } from "../limits/settings.ts";
import { ENTRY_SETTINGS } from "../operations/settings.ts";
import { RETRY_SETTINGS } from "../outcomes/settings.ts";
import { AUDIT_SETTINGS } from "../privacy/audit/settings.ts";
import { KEY_SETTINGS } from "../privacy/keys/settings.ts";
import { HYGIENE_SETTINGS } from "../privacy/settings.ts";
import { DEEPVUE_SETTINGS } from "../providers/deepvue/settings.ts";
import { EKO_SETTINGS } from "../providers/eko/settings.ts";
import { CALL_SETTINGS } from "../providers/settings.ts";
import { TAKING_SETTINGS } from "../queues/settings.ts";
import { RETENTION_SETTINGS } from "../records/settings.ts";
import { REDIS_SETTINGS } from "../redis/settings.ts";
import { TELEMETRY_SETTINGS } from "../telemetry/settings.ts";
import { TRACING_SETTINGS } from "../telemetry/tracing/settings.ts";

/** Every room's settings (design §6); those of the operations' paths follow from the catalogue (`path-settings.ts`). */
export const settingsSchema = z.object({
  ...REDIS_SETTINGS,
  ...EKO_SETTINGS,
  ...DEEPVUE_SETTINGS,
  ...LIMIT_SETTINGS,
  ...ENTRY_SETTINGS,
  ...CALL_SETTINGS,
  ...RETRY_SETTINGS,
  ...TAKING_SETTINGS,
  ...HYGIENE_SETTINGS,
  ...TELEMETRY_SETTINGS,
  ...TRACING_SETTINGS,
  ...RETENTION_SETTINGS,
  ...AUDIT_SETTINGS,
  ...KEY_SETTINGS,
});

/** What the texts become; `undefined` where one is unset and has no default. */
export type SettingValues = z.output<typeof settingsSchema>;
export type SettingName = keyof SettingValues;
/** Settings as they were given. */
export type SettingTexts = z.input<typeof settingsSchema>;

export const SETTING_NAMES: readonly SettingName[] = settingsSchema.keyof().options;

export const SETTINGS: readonly Setting[] = SETTING_NAMES.map(settingOf);

export function settingOf(name: SettingName): Setting {
  return aboutSetting(name, settingsSchema.shape[name]);
}
