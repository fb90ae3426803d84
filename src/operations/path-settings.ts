import type { Complain, Environment, Setting } from "../base/setting.ts";
import { Complaint, quote, textSchema, type TextSchema } from "../base/text.ts";

/** What is needed of an operation to let a setting replace its path. */
export interface PathOwner {
  readonly name: string;
  /** Below the provider's base URL, with `{field}` placeholders. */
  readonly path: string;
}

/** `eko.dmt-levin.aadhaar-otp.verify` → `EKO_DMT_LEVIN_AADHAAR_OTP_VERIFY_PATH`. */
export function pathVariable(operation: string): string {
  return `${operation.toUpperCase().replaceAll(/[.-]/g, "_")}_PATH`;
}

/** The path settings of a catalogue, in its order. */
export function pathSettings(operations: readonly PathOwner[]): readonly Setting[] {
  return operations.map(({ name, path }) => ({
    name: pathVariable(name),
    default: path,
    secret: false,
    file: false,
    takes: pathSchema(path).description ?? "",
    meaning: `Path of \`${name}\`.`,
  }));
}

/** The paths that differ from the catalogue's, by operation name. */
export function readPaths(
  environment: Environment,
  operations: readonly PathOwner[],
  complain: Complain,
): Record<string, string> {
  const paths: [string, string][] = [];
  for (const { name, path } of operations) {
    const variable = pathVariable(name);
    const text = environment[variable]?.trim() ?? "";
    if (text === "") continue;
    const result = pathSchema(path).safeParse(text);
    if (!result.success) for (const { message } of result.error.issues) complain(`${variable} ${message}`);
    else if (result.data !== path) paths.push([name, result.data]);
  }
  return Object.fromEntries(paths);
}

/** The path of an operation: other words than the default's, but the same `{placeholders}`. */
export function pathSchema(standard: string): TextSchema<string> {
  const wanted = placeholders(standard);
  return textSchema(`path with ${wanted === "" ? "no placeholders" : wanted}`, (text) => {
    if (!/^(\/([A-Za-z0-9._~-]|\{[a-z_]+\})+)+$/.test(text) || /\/\.{1,2}(\/|$)/.test(text)) {
      return new Complaint(`must be a path like ${standard}: "/" first, no query, no "..", not ${quote(text)}`);
    }
    if (placeholders(text) === wanted) return text;
    const same =
      wanted === "" ? "no {placeholders}, as the default has none" : `the default's placeholders, ${wanted}, once each`;
    return new Complaint(`must have ${same}: ${standard}`);
  });
}

function placeholders(path: string): string {
  return (path.match(/\{[a-z_]+\}/g) ?? []).toSorted().join(" ");
}
