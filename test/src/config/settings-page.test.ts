import { join } from "node:path";
import { format } from "prettier";
import { expect, it } from "vitest";
import { SETTINGS } from "../../../src/config/definitions.ts";
import type { Setting } from "../../../src/base/setting.ts";
import { pathSettings, pathVariable, pathSchema } from "../../../src/operations/path-settings.ts";
import { OPERATIONS } from "../../../src/operations/catalogue.ts";

const PAGE = join(import.meta.dirname, "../../../docs/settings.md");
const REGENERATE = "npx vitest run test/src/config/settings-page.test.ts -u";
const EXAMPLE = "eko.dmt-levin.aadhaar-otp.verify";

const INTRODUCTION = `
# Settings

<!-- Generated from the rooms' own settings (src/**/settings.ts); to write it anew: ${REGENERATE} -->

Settings are environment variables. All are checked at start, against each other too; everything that is wrong is named at
once, and nothing starts. An empty variable counts as unset.

- **Secrets** (marked \`_FILE\`) can also come from a file: set \`NAME_FILE\` to its path instead of \`NAME\`.
- **Durations** have a unit: \`250ms\`, \`60s\`, \`10m\`, \`24h\`, \`30d\`, \`1.5s\`.
- **Quotas** are windows that hold all at once: \`1/1s,30/1m,1000/1d\` is one call a second, 30 a minute and 1,000 a day.
  \`0\` holds all calls.
- **Keys**: \`openssl rand -base64 32\` makes one, for example
  \`SATYAPAN_ENCRYPTION_KEYS="k1:$(openssl rand -base64 32)"\` and \`SATYAPAN_SUBJECT_KEY="$(openssl rand -base64 32)"\`.
  To change a key of the ring, put a new one with a new id first, then \`satyapan keys rotate\` and
  \`satyapan keys retire OLD\`. The subject key stays: with another, nobody's cooldown and no job's id is recognised
  (docs/privacy.md says how it is changed all the same).
- **Quotation marks** are part of a value in a Docker env file or a secret's file: a setting that begins or ends with one is
  warned of at start and by \`satyapan doctor\`.
- **Proxies**: \`HTTP_PROXY\`, \`HTTPS_PROXY\`, \`NO_PROXY\` and \`NODE_USE_ENV_PROXY\` are not heeded. Calls to providers, to a key
  service and to Redis go straight to their hosts: give the worker a direct way out.
- A variable that begins with \`EKO_\`, \`DEEPVUE_\` or \`SATYAPAN_\` and is no setting is warned of at start.
`;

const PATHS = `
## Paths of operations

Where a provider changes an operation's path, a variable replaces it: the operation's name in capitals, with \`_\` for \`.\`
and \`-\`, and \`_PATH\`. For \`${EXAMPLE}\` it is \`${pathVariable(EXAMPLE)}\`. The path
begins with \`/\`, goes below the provider's base URL, and has the same \`{placeholders}\` as the default.
`;

function row({ name, default: standard, file, takes, meaning }: Setting): string {
  const cells = [`\`${name}\`${file ? " (`_FILE`)" : ""}`, standard === null ? "" : `\`${standard}\``, takes, meaning];
  return `| ${cells.map((cell) => cell.replaceAll("|", String.raw`\|`)).join(" | ")} |`;
}

const PATH_SETTINGS = pathSettings(OPERATIONS);

it("every operation's path has a variable of its own and is what that variable would accept", () => {
  expect(new Set([...PATH_SETTINGS, ...SETTINGS].map(({ name }) => name))).toHaveProperty(
    "size",
    PATH_SETTINGS.length + SETTINGS.length,
  );
  for (const { path } of OPERATIONS) expect(pathSchema(path).parse(path)).toBe(path);
});

it("docs/settings.md says what the settings are", async () => {
  const table = ["| Setting | Default | Takes | Meaning |", "| --- | --- | --- | --- |", ...SETTINGS.map(row)];
  const paths = ["| Setting | Default |", "| --- | --- |"];
  for (const { name, default: path } of PATH_SETTINGS) paths.push(`| \`${name}\` | \`${path}\` |`);
  const page = [INTRODUCTION.trim(), table.join("\n"), PATHS.trim(), paths.join("\n")].join("\n\n");
  const formatted = await format(page, { parser: "markdown", printWidth: 120 });
  await expect(formatted, `to write it anew: ${REGENERATE}`).toMatchFileSnapshot(PAGE);
});
