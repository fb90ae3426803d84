import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";

// `npm run sbom` prints what runs in production, as CycloneDX 1.6. From the lock file alone: `npm sbom` (npm 11) writes 1.5,
// lists only what is installed on this platform, and some of what is not for production (the package node's own parts).

const Names = z.record(z.string(), z.string()).default({});
const LockedPackage = z.looseObject({
  version: z.string().optional(),
  integrity: z.string().optional(),
  license: z.string().optional(),
  dependencies: Names,
  optionalDependencies: Names,
  peerDependencies: Names,
  peerDependenciesMeta: z.record(z.string(), z.looseObject({ optional: z.boolean().default(false) })).default({}),
});
type LockedPackage = z.output<typeof LockedPackage>;

/** package-lock.json, version 3: the packages by the folder they are put in; "" is the project itself. */
export const LockFile = z.looseObject({
  name: z.string(),
  version: z.string(),
  lockfileVersion: z.literal(3),
  packages: z.record(z.string(), LockedPackage),
});
export type LockFile = z.output<typeof LockFile>;

interface Component {
  readonly type: "library" | "application";
  readonly "bom-ref": string;
  readonly group?: string;
  readonly name: string;
  readonly version: string;
  readonly scope?: "required" | "optional";
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses?: readonly ({ readonly expression: string } | { readonly license: { readonly name: string } })[];
  readonly purl: string;
}

export interface Sbom {
  readonly $schema: string;
  readonly bomFormat: "CycloneDX";
  readonly specVersion: "1.6";
  readonly serialNumber: string;
  readonly version: 1;
  readonly metadata: {
    readonly timestamp: string;
    readonly lifecycles: readonly { readonly phase: "build" }[];
    readonly component: Component;
  };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

/** All that is reached from the project's `dependencies`; optional ones too, on whatever platform they are for. */
export function sbomOf(lock: LockFile, serialNumber: string, at: Date): Sbom {
  const found = reach(lock);
  const components = new Map<string, Component>();
  const dependencies = new Map<string, ReadonlySet<string>>();
  for (const [path, { required, needs }] of found) {
    const ref = refOf(lock, path);
    const scope = required || components.get(ref)?.scope === "required" ? "required" : "optional";
    if (path !== "") components.set(ref, { ...componentOf(lock, path), scope });
    const refs = [...(dependencies.get(ref) ?? []), ...needs.map((need) => refOf(lock, need))];
    dependencies.set(ref, new Set(refs));
  }
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${serialNumber}`,
    version: 1,
    metadata: {
      timestamp: at.toISOString(),
      lifecycles: [{ phase: "build" }],
      component: { ...componentOf(lock, ""), type: "application" },
    },
    components: sorted(components).map(([, component]) => component),
    dependencies: sorted(dependencies).map(([ref, refs]) => ({ ref, dependsOn: [...refs].toSorted() })),
  };
}

interface Reached {
  /** False: only through optional dependencies. */
  readonly required: boolean;
  /** Folders. */
  readonly needs: readonly string[];
}

/** By folder, beginning with the project. */
function reach(lock: LockFile): Map<string, Reached> {
  const found = new Map<string, Reached>();
  const todo: [path: string, required: boolean][] = [["", true]];
  for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
    const [path, required] = next;
    const known = found.get(path);
    if (known !== undefined && (known.required || !required)) continue;
    const locked = packageAt(lock, path);
    const needs: string[] = [];
    const follow = (name: string, isRequired: boolean): void => {
      const place = resolve(lock, path, name);
      if (place === null && isRequired)
        throw new Error(`package-lock.json has no ${name}, which ${path || "the project"} needs`);
      if (place === null) return;
      needs.push(place);
      todo.push([place, required && isRequired]);
    };
    for (const name of Object.keys(locked.dependencies)) {
      if (!(name in locked.optionalDependencies)) follow(name, true);
    }
    for (const name of Object.keys(locked.optionalDependencies)) follow(name, false);
    for (const name of Object.keys(locked.peerDependencies)) {
      if (path !== "") follow(name, locked.peerDependenciesMeta[name]?.optional !== true);
    }
    found.set(path, { required, needs });
  }
  return found;
}

/** The package's path as Node finds it: from the own folder outwards. */
function resolve(lock: LockFile, from: string, name: string): string | null {
  for (let base = from; ; base = base.slice(0, Math.max(0, base.lastIndexOf("/node_modules/")))) {
    const path = `${base === "" ? "" : `${base}/`}node_modules/${name}`;
    if (path in lock.packages) return path;
    if (base === "") return null;
  }
}

function componentOf(lock: LockFile, path: string): Component {
  const { integrity, license } = packageAt(lock, path);
  const { name, version } = identityOf(lock, path);
  const [group, plain] = name.startsWith("@") ? name.split("/") : [undefined, name];
  return {
    type: "library",
    "bom-ref": refOf(lock, path),
    ...(group === undefined ? {} : { group }),
    name: plain ?? name,
    version,
    ...(integrity === undefined ? {} : { hashes: [hashOf(integrity)] }),
    ...(license === undefined ? {} : { licenses: [licenseOf(license)] }),
    purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
  };
}

function refOf(lock: LockFile, path: string): string {
  const { name, version } = identityOf(lock, path);
  return `${name}@${version}`;
}

function identityOf(lock: LockFile, path: string): { readonly name: string; readonly version: string } {
  if (path === "") return { name: lock.name, version: lock.version };
  const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
  return { name, version: packageAt(lock, path).version ?? "" };
}

function packageAt(lock: LockFile, path: string): LockedPackage {
  const found = lock.packages[path];
  if (found === undefined) throw new Error(`package-lock.json has nothing at ${path}`);
  return found;
}

/** `sha512-` and base64 → what CycloneDX calls it, in hexadecimal. */
function hashOf(integrity: string): { readonly alg: string; readonly content: string } {
  const [, bits = "", base64 = ""] = /^sha(\d+)-(\S+)/.exec(integrity) ?? [];
  return { alg: bits === "1" ? "SHA-1" : `SHA-${bits}`, content: Buffer.from(base64, "base64").toString("hex") };
}

/** An SPDX expression, except where npm allows a sentence instead. */
function licenseOf(license: string): { readonly expression: string } | { readonly license: { readonly name: string } } {
  return /^(SEE LICENSE|UNLICENSED)/.test(license) ? { license: { name: license } } : { expression: license };
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

if (import.meta.main) {
  const text = readFileSync(new URL("../package-lock.json", import.meta.url), "utf8");
  const sbom = sbomOf(LockFile.parse(JSON.parse(text)), randomUUID(), new Date());
  process.stdout.write(`${JSON.stringify(sbom, null, 2)}\n`);
}
