import { describe, expect, it } from "vitest";
import { z } from "zod";
import { manifest, readText } from "./compose-file.ts";

const Lock = z.looseObject({
  packages: z.record(
    z.string(),
    z.looseObject({
      resolved: z.string().optional(),
      integrity: z.string().optional(),
      link: z.boolean().optional(),
      hasInstallScript: z.boolean().optional(),
    }),
  ),
});
type Lock = z.output<typeof Lock>;

const lock = Lock.parse(JSON.parse(readText("package-lock.json")));
const { allowScripts } = z.looseObject({ allowScripts: z.record(z.string(), z.boolean()) }).parse(manifest());

/** What is wrong with a lock file: an install script nobody decided about, a package without a hash, a place to fetch from. */
function faults({ packages }: Lock): string[] {
  return Object.entries(packages).flatMap(([path, { resolved, integrity, link, hasInstallScript }]) => {
    if (path === "") return [];
    const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
    return [
      ...(hasInstallScript === true && !(name in allowScripts) ? [`${path}: install script not in allowScripts`] : []),
      ...(!/^sha512-[\w+/]{86}==$/.test(integrity ?? "") ? [`${path}: no SHA-512`] : []),
      ...(resolved !== undefined || link === true ? [`${path}: fetched from a place of its own`] : []),
    ];
  });
}

describe("package-lock.json", () => {
  it("has a SHA-512 for every package, names no registry, and no install script that nobody decided about", () => {
    expect(Object.keys(lock.packages).length).toBeGreaterThan(100);
    expect(faults(lock)).toEqual([]);
  });

  it("would be refused with any of these (so the check does look)", () => {
    const [, good] = Object.entries(lock.packages).find(([path]) => path === "node_modules/ioredis") ?? [];
    const planted = {
      "node_modules/script": { ...good, hasInstallScript: true },
      "node_modules/old": { ...good, integrity: "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=" },
      "node_modules/none": { ...good, integrity: undefined },
      "node_modules/elsewhere": { ...good, resolved: "https://registry.example/elsewhere.tgz" },
    };
    expect(faults({ packages: planted })).toEqual([
      "node_modules/script: install script not in allowScripts",
      "node_modules/old: no SHA-512",
      "node_modules/none: no SHA-512",
      "node_modules/elsewhere: fetched from a place of its own",
    ]);
  });

  it("is installed with no other script than that which brings Node, and npm refuses what is not decided", () => {
    expect(Object.keys(allowScripts).filter((name) => allowScripts[name])).toEqual(["node"]);
    const npmrc = readText(".npmrc").split("\n");
    expect(npmrc).toContain("strict-allow-scripts=true");
    expect(npmrc).toContain("omit-lockfile-registry-resolved=true");
  });

  it("pins every production dependency to one version", () => {
    for (const [name, version] of Object.entries(manifest().dependencies))
      expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
  });
});
