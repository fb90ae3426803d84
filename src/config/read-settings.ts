import { aboutSetting, SETTING_NAMES, settingsSchema } from "./definitions.ts";
import type { SettingName, SettingTexts, SettingValues } from "./definitions.ts";
import type { Environment } from "./environment.ts";

/** Told what is wrong with a setting: a line that begins with its name and never repeats a secret. */
export type Complain = (problem: string) => void;

/** What was given, read. */
export interface ReadSettings {
  /** A value that is `wrong` is replaced by its default, or is undefined. */
  readonly values: SettingValues;
  readonly wrong: ReadonlySet<SettingName>;
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
    const path = aboutSetting(name).file ? (environment[`${name}_FILE`]?.trim() ?? "") : "";
    if (text === "" && path === "") continue;
    given.add(name);
    if (text !== "" && path !== "") complain(`${name} and ${name}_FILE are both set: keep one of them`);
    const value = text === "" ? readSecretFile(`${name}_FILE`, path, readFile, complain) : text;
    if (value === undefined) wrong.add(name);
    else texts[name] = value;
  }
  for (const { path, message } of settingsSchema.safeParse(texts).error?.issues ?? []) {
    complain(`${path.join(".")} ${message}`);
    for (const name of SETTING_NAMES) if (name === path[0]) wrong.add(name);
  }
  for (const name of wrong) delete texts[name];
  return { values: settingsSchema.parse(texts), wrong, given };
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
