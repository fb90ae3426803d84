import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { dashboardJson, DASHBOARDS, type Dashboard } from "../../deploy/grafana/dashboards.ts";
import { makeTempDir } from "../support/temp-dir.ts";
import { manifest, service } from "./compose-file.ts";

const TYPES = fileURLToPath(new URL("grafana-types.ts", import.meta.url));
const COMPILER = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
const FLAGS = [
  ...["--noEmit", "--strict", "--skipLibCheck", "--ignoreConfig", "--allowImportingTsExtensions"],
  ...["--module", "nodenext"],
];

/** What the compiler says of dashboards' JSON where Grafana's own types are asked for; by name. */
async function complaints(all: Readonly<Record<string, string>>): Promise<string> {
  await using place = await makeTempDir();
  const head = `import type { GrafanaDashboard } from ${JSON.stringify(TYPES)};\nexport const dashboard: GrafanaDashboard = `;
  for (const [name, json] of Object.entries(all)) await writeFile(join(place.path, `${name}.ts`), `${head}${json};\n`);
  const files = Object.keys(all).map((name) => `${name}.ts`);
  return await promisify(execFile)(process.execPath, [COMPILER, ...FLAGS, ...files], { cwd: place.path }).then(
    ({ stdout }) => stdout,
    (error: unknown) => (error as { readonly stdout: string }).stdout,
  );
}

const jsonOf = (dashboard: Dashboard | undefined): string => (dashboard === undefined ? "" : dashboardJson(dashboard));

it("the dashboards are what Grafana's own schema of this version has, and nothing else", async () => {
  const image = service("grafana").image.split(":").at(-1) ?? "";
  const minor = (version: string): string => version.split(".").slice(0, 2).join(".");
  expect(minor(manifest().devDependencies["@grafana/schema"] ?? "")).toBe(minor(image));
  const all = Object.entries(DASHBOARDS).map(([name, dashboard]) => [name, dashboardJson(dashboard)] as const);
  expect(await complaints(Object.fromEntries(all))).toBe("");
});

it("that schema takes no other name or value (so the test does check)", async () => {
  const batches = jsonOf(DASHBOARDS["satyapan-batches"]);
  const spoilt = (from: string, to: string): string => {
    expect(batches).toContain(from);
    return batches.replace(from, to);
  };
  const said = await complaints({
    enum: spoilt('"drawStyle": "line"', '"drawStyle": "lines"'),
    field: spoilt('"lineWidth": 1', '"lineWidht": 1'),
    option: spoilt('"displayMode": "table"', '"displayModes": "table"'),
    place: spoilt('"h": 4', '"height": 4'),
    property: spoilt('"id": "color"', '"id": "colour"'),
    unit: spoilt('"unit": "short"', '"unit": 1'),
  });
  const named = said.split("\n").flatMap((line) => /^(\w+)\.ts\(\d+,\d+\): error/.exec(line)?.[1] ?? []);
  expect([...new Set(named)].toSorted()).toEqual(["enum", "field", "option", "place", "property", "unit"]);
});
