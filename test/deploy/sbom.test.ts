import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { LockFile, type Sbom, sbomOf } from "../../deploy/sbom.ts";
import { manifest, readText, ROOT } from "./compose-file.ts";

const SERIAL = "3e671687-395b-41f5-a30f-a58921a69b79";
const AT = new Date("2026-01-15T10:00:00Z");
const lock = LockFile.parse(JSON.parse(readText("package-lock.json")));

/** The rules of the CycloneDX 1.6 schema for the parts that are written here; no other field is allowed. */
const Word = z.string().min(1);
const ComponentRules = z.strictObject({
  type: z.enum(["library", "application"]),
  "bom-ref": Word,
  group: Word.startsWith("@").optional(),
  name: Word,
  version: z.string().regex(/^\d+\.\d+\.\d+/),
  scope: z.enum(["required", "optional", "excluded"]).optional(),
  hashes: z
    .array(z.strictObject({ alg: z.enum(["SHA-1", "SHA-256", "SHA-384", "SHA-512"]), content: z.hex().min(40) }))
    .optional(),
  licenses: z
    .union([
      z.tuple([z.strictObject({ expression: Word })]),
      z.array(z.strictObject({ license: z.strictObject({ name: Word }) })),
    ])
    .optional(),
  purl: z.string().regex(/^pkg:npm\/(%40[\w.-]+\/)?[\w.-]+@\d/),
});
const Rules = z.strictObject({
  $schema: z.literal("http://cyclonedx.org/schema/bom-1.6.schema.json"),
  bomFormat: z.literal("CycloneDX"),
  specVersion: z.literal("1.6"),
  serialNumber: z.string().regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
  version: z.int().min(1),
  metadata: z.strictObject({
    timestamp: z.iso.datetime(),
    lifecycles: z.array(z.strictObject({ phase: z.literal("build") })),
    component: ComponentRules,
  }),
  components: z.array(ComponentRules),
  dependencies: z.array(z.strictObject({ ref: Word, dependsOn: z.array(Word) })),
});

function namesOf({ components }: Sbom): string[] {
  return components.map(({ group, name }) => (group === undefined ? name : `${group}/${name}`));
}

describe("npm run sbom", () => {
  it("prints a CycloneDX 1.6 document, with unique references that all lead somewhere", async () => {
    const script = fileURLToPath(new URL("deploy/sbom.ts", ROOT));
    const { stdout } = await promisify(execFile)(process.execPath, [script], { maxBuffer: 16 * 1024 * 1024 });
    const sbom = Rules.parse(JSON.parse(stdout));
    const refs = [sbom.metadata.component, ...sbom.components].map((component) => component["bom-ref"]);
    expect(new Set(refs).size).toBe(refs.length);
    expect(sbom.dependencies.map(({ ref }) => ref).toSorted()).toEqual(refs.toSorted());
    for (const ref of sbom.dependencies.flatMap(({ dependsOn }) => dependsOn)) expect(refs).toContain(ref);
    expect(manifest()).toMatchObject({ scripts: { sbom: "node deploy/sbom.ts" } });
  });

  it("lists what runs in production, at its locked version, with its hash and licence, and nothing else", () => {
    const sbom = sbomOf(lock, SERIAL, AT);
    const names = namesOf(sbom);
    const { dependencies, devDependencies } = manifest();
    for (const [name, version] of Object.entries(dependencies)) {
      const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
      expect(sbom.components).toContainEqual(expect.objectContaining({ purl }));
    }
    for (const name of Object.keys(devDependencies)) expect(names).not.toContain(name);
    const production = Object.entries(lock.packages).filter(([path, { dev }]) => path !== "" && dev !== true);
    for (const [path] of production) {
      const name = path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
      // A peer of nobody's is in the lock file as an optional one, and is not installed.
      if (lock.packages[path]?.["peer"] !== true) expect(names).toContain(name);
    }
    for (const component of sbom.components) {
      expect(component.hashes, component.name).toHaveLength(1);
      expect(component.licenses, component.name).toHaveLength(1);
    }
  });

  it("is the same for the same lock file, but for its number and time", () => {
    expect(sbomOf(lock, SERIAL, AT)).toEqual(sbomOf(lock, SERIAL, AT));
  });

  it("finds nested versions, tells optional from required, and leaves development out", () => {
    const integrity = `sha512-${Buffer.alloc(64, 1).toString("base64")}`;
    const sbom = sbomOf(
      LockFile.parse({
        name: "p",
        version: "1.0.0",
        lockfileVersion: 3,
        packages: {
          "": { dependencies: { a: "1", "@s/b": "1" }, devDependencies: { d: "1" } },
          "node_modules/a": { version: "1.0.0", integrity, license: "(MIT OR ISC)", dependencies: { c: "2" } },
          "node_modules/a/node_modules/c": { version: "2.0.0", optionalDependencies: { o: "1", elsewhere: "1" } },
          "node_modules/@s/b": { version: "1.0.0", license: "SEE LICENSE IN x", peerDependencies: { c: "1" } },
          "node_modules/c": { version: "1.0.0" },
          "node_modules/o": { version: "1.0.0" },
          "node_modules/d": { version: "1.0.0", dev: true },
        },
      }),
      SERIAL,
      AT,
    );
    expect(sbom.components.map((component) => `${component["bom-ref"]} ${component.scope}`)).toEqual([
      "@s/b@1.0.0 required",
      "a@1.0.0 required",
      "c@1.0.0 required",
      "c@2.0.0 required",
      "o@1.0.0 optional",
    ]);
    expect(sbom.components[0]).toMatchObject({ group: "@s", name: "b", purl: "pkg:npm/%40s/b@1.0.0" });
    expect(sbom.components[1]).toMatchObject({
      hashes: [{ alg: "SHA-512", content: "01".repeat(64) }],
      licenses: [{ expression: "(MIT OR ISC)" }],
    });
    expect(sbom.dependencies).toContainEqual({ ref: "a@1.0.0", dependsOn: ["c@2.0.0"] });
    expect(sbom.dependencies).toContainEqual({ ref: "@s/b@1.0.0", dependsOn: ["c@1.0.0"] });
  });

  it("is refused where the lock file lacks what is needed", () => {
    const broken = { ...lock, packages: { "": { dependencies: { gone: "1" } } } };
    expect(() => sbomOf(LockFile.parse(broken), SERIAL, AT)).toThrow(
      /^package-lock\.json has no gone, which the project/,
    );
  });
});
