import type { Setting } from "./definitions.ts";
import { pathSchema } from "./schemas.ts";
import type { Environment } from "./environment.ts";
import type { Complain } from "./read-settings.ts";

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
