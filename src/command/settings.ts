import { loadLocalKeys } from "../privacy/keys/local-keys.ts";
import { parseSettings } from "../config/parse-settings.ts";
import type { Settings } from "../config/settings.ts";
import { OPERATIONS } from "../operations/catalogue.ts";
import { stateDirOf } from "../redis/access.ts";
import type { CommandContext } from "./context.ts";

/** A command's settings, from its environment. Throws SatyapanError that names every wrong one; nothing was started. */
export function loadSettings({ env, cwd, readFile, stderr }: CommandContext): Settings {
  const localKeys = () => loadLocalKeys(stateDirOf(cwd));
  const settings = parseSettings(env, { readFile, operations: OPERATIONS, localKeys });
  for (const warning of settings.warnings) stderr.write(`warning: ${warning}\n`);
  return settings;
}
