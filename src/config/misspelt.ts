import { nearest } from "../base/near.ts";
import type { Environment } from "../base/setting.ts";
import { pathVariable, type PathOwner } from "../operations/path-settings.ts";
import { SETTINGS } from "./definitions.ts";

const OURS = /^(EKO|DEEPVUE|SATYAPAN)_/;

/**
 * A sentence for each variable that begins like one of ours and is none: probably misspelt, but not surely, so that it is
 * no reason not to start. Names only, no value.
 */
export function misspelt(environment: Environment, operations: readonly PathOwner[]): readonly string[] {
  const known = new Set(SETTINGS.flatMap(({ name, file }) => (file ? [name, `${name}_FILE`] : [name])));
  for (const { name } of operations) known.add(pathVariable(name));
  const candidates = [...known].map((name) => name.toLowerCase());
  const warnings: string[] = [];
  for (const name of Object.keys(environment).toSorted()) {
    if (known.has(name)) continue;
    const plain = name.replace(/_FILE$/, "");
    if (known.has(plain)) warnings.push(`${name} has no effect: only secrets are read from files; set ${plain}`);
    else if (OURS.test(name)) warnings.push(`${name} is not a setting and has no effect${meant(name, candidates)}`);
  }
  return warnings;
}

function meant(name: string, candidates: readonly string[]): string {
  const [candidate] = nearest(name, candidates, 1);
  return candidate === undefined ? "" : `: is ${candidate.toUpperCase()} meant?`;
}
