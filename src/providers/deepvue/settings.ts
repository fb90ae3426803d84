import { type ValuesOf, withDefault, withoutDefault } from "../../base/setting.ts";
import { baseUrlSchema } from "../../base/text-schemas.ts";
import type { Secret } from "../../secrets/secret.ts";
import { secretSchema } from "../../secrets/secret-schema.ts";

export interface DeepvueSettings {
  /** The address before each path, like Eko's. */
  readonly baseUrl: URL;
  readonly clientId: Secret;
  readonly clientSecret: Secret;
}

export const DEEPVUE_SETTINGS = {
  DEEPVUE_BASE_URL: withDefault(baseUrlSchema, "https://production.deepvue.tech", { meaning: "Where Deepvue is." }),
  DEEPVUE_CLIENT_ID: withoutDefault(secretSchema, {
    secret: true,
    meaning: "Header `client-id`. Deepvue is served when this and the next are set.",
  }),
  DEEPVUE_CLIENT_SECRET: withoutDefault(secretSchema, { secret: true, meaning: "Header `x-api-key`." }),
};

/** Deepvue is served when all of these are set, and not when none is; some of them is a mistake. */
export const DEEPVUE_CREDENTIAL = [
  "DEEPVUE_CLIENT_ID",
  "DEEPVUE_CLIENT_SECRET",
] as const satisfies readonly (keyof typeof DEEPVUE_SETTINGS)[];

/** Null: this process has no credential and cannot serve it. */
export function deepvueSettings(values: ValuesOf<typeof DEEPVUE_SETTINGS>): DeepvueSettings | null {
  const { DEEPVUE_CLIENT_ID: clientId, DEEPVUE_CLIENT_SECRET: clientSecret } = values;
  if (clientId === undefined || clientSecret === undefined) return null;
  return { baseUrl: values.DEEPVUE_BASE_URL, clientId, clientSecret };
}
