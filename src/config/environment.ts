import type { Environment } from "../base/setting.ts";

/** A copy: what changes the environment later does not change the settings. */
export function readEnvironment(): Environment {
  // oxlint-disable-next-line node/no-process-env -- this is the one place that reads the environment (design §5).
  return { ...process.env };
}
