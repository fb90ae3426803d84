import type { Complain, Environment } from "../base/setting.ts";
import { SETTING_NAMES, settingOf, settingsSchema } from "./definitions.ts";
import type { SettingName, SettingTexts, SettingValues } from "./definitions.ts";
import { isQuoted, QUOTED_HINT, quotedWarning } from "./quoted.ts";

/** What was given, read. */
export interface ReadSettings {
  /** A value that is `wrong` is replaced by its default, or is undefined. */
  readonly values: SettingValues;
  readonly wrong: ReadonlySet<SettingName>;
  /** What is accepted but looks like a mistake, one sentence each; names only. */
  readonly warnings: readonly string[];
  /** Not missing, whatever else they are. */
  readonly given: ReadonlySet<SettingName>;
}

/**
 * Reads the settings from variables and from files, each for itself.
 * Spaces and line ends around a value are not part of it: `echo` and editors put them there. An empty one is not given.
 */
export function readSettings(
  environment: Environment,
  readFile: (path: string) => string,
  complain: Complain,
): ReadSettings {
  const texts: SettingTexts = {};
  const given = new Set<SettingName>();
  const wrong = new Set<SettingName>();
  for (const name of SETTING_NAMES) {
    const text = environment[name]?.trim() ?? "";
    const path = settingOf(name).file ? (environment[`${name}_FILE`]?.trim() ?? "") : "";
    if (text === "" && path === "") continue;
    given.add(name);
    if (text !== "" && path !== "") complain(`${name} and ${name}_FILE are both set: keep one of them`);
    const value = text === "" ? readSecretFile(`${name}_FILE`, path, readFile, complain) : text;
    if (value === undefined) wrong.add(name);
    else texts[name] = value;
  }
  for (const { path, message } of settingsSchema.safeParse(texts).error?.issues ?? []) {
    const about = SETTING_NAMES.filter((name) => name === path[0]);
    const hint = about.some((name) => isQuoted(texts[name] ?? "")) ? QUOTED_HINT : "";
    complain(`${path.join(".")} ${message}${hint}`);
    for (const name of about) wrong.add(name);
  }
  for (const name of wrong) delete texts[name];
  const warnings = SETTING_NAMES.filter((name) => isQuoted(texts[name] ?? "")).map(quotedWarning);
  return { values: settingsSchema.parse(texts), wrong, given, warnings };
}

function readSecretFile(
  variable: string,
  path: string,
  readFile: (path: string) => string,
  complain: Complain,
): string | undefined {
  // Only what is surely a path is repeated: somebody may have put the secret itself into `NAME_FILE`.
  const shown = /^(\.{0,2}[/\\]|[A-Za-z]:[/\\])/.test(path) ? `: ${path}` : "; give its path beginning with / or ./";
  try {
    const text = readFile(path).trim();
    if (text !== "") return text;
    complain(`${variable} names an empty file${shown}`);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "no reason given";
    complain(`${variable} names a file that cannot be read (${code})${shown}`);
  }
  return undefined;
}
