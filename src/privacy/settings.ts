import { type ValuesOf, withDefault } from "../base/setting.ts";
import { switchSchema } from "../base/text-schemas.ts";

export interface HygieneSettings {
  /** Whether a worker may run in a process that gives clear values away (`hygiene.ts`). Default false. */
  readonly allowDebugger: boolean;
}

export const HYGIENE_SETTINGS = {
  ALLOW_DEBUGGER: withDefault(switchSchema, "off", {
    meaning:
      "`on` lets a worker call real providers though a debugger, dumps or debug output could give clear values away.",
  }),
};

export function hygieneSettings(values: ValuesOf<typeof HYGIENE_SETTINGS>): HygieneSettings {
  return { allowDebugger: values.ALLOW_DEBUGGER };
}
