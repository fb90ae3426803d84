import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "prettier";
import { describe, expect, it } from "vitest";
import { LOG_EVENTS } from "../../../src/telemetry/log/log-events.ts";
import type { LogEvent } from "../../../src/telemetry/log/log-event.ts";
import { LOG_FIELDS, type LogField } from "../../../src/telemetry/log/log-fields.ts";

const ROOT = join(import.meta.dirname, "../../..");
const PAGE = join(ROOT, "docs/logs.md");
const REGENERATE = "npx vitest run test/src/telemetry/log-page.test.ts -u";
const EVENTS: Readonly<Record<string, LogEvent>> = LOG_EVENTS;
const FIELDS: Readonly<Record<string, LogField<unknown>>> = LOG_FIELDS;

const INTRODUCTION = `
# Logs

<!-- Generated from src/telemetry/log; to write it anew: ${REGENERATE} -->

A worker logs to stderr, one line for each event: JSON (\`LOG_FORMAT=json\`, the default), or text for people
(\`LOG_FORMAT=pretty\`, in colours on a terminal). Messages are fixed, facts are fields: search by \`msg\`, filter by fields. Nothing
personal and no text of a provider is in any of them.

    {"level":"info","time":"2026-11-27T05:30:00.000Z","pid":1,"job":"0mhq3k…","operation":"eko.mobile-otp","attempt":1,
     "outcome":"succeeded","client_ref_id":"0mhq3k…","state":"succeeded","reason":null,"msg":"attempt finished"}

| level | means |
| --- | --- |
| \`fatal\` | the process ends |
| \`error\` | somebody has to look today; for what cannot wait there are alerts |
| \`warn\` | it mends itself, or is to be mended when there is time |
| \`info\` | it went on: one line for each attempt, and for each change of what a worker does |
| \`debug\` | for whoever looks into a worker; not for every day |

**One a minute.** What may come by the thousand is said when it begins, and then once a minute for each cause while it lasts, with
\`times\`: how often it came in that minute. The other fields are then those of the last. The third column says what makes a cause;
\`–\` is all of them together. \`each\` is a transition of its own: a line each.

A new line is one entry in \`src/telemetry/log/log-events.ts\`: it does not compile without, nor with other fields or another level.
`;

function cells(...texts: readonly string[]): string {
  return `| ${texts.map((text) => text.replaceAll("|", String.raw`\|`)).join(" | ")} |`;
}

function eventRow([message, { level, fields, cause, means }]: [string, LogEvent]): string {
  const names = (all: readonly string[]): string => all.map((name) => `\`${name}\``).join(" ") || "–";
  return cells(level, message, cause === null ? "each" : names(cause), names(fields), means);
}

/** What the code says, and where. */
function sayings() {
  const files = ["workers", "src", "chaos", "producers", "bin", "simulator"].flatMap((house) =>
    readdirSync(join(ROOT, house), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => join(house, name)),
  );
  return files.flatMap((path) => {
    const code = readFileSync(join(ROOT, path), "utf8");
    const calls = code.matchAll(/\blogger\s*(\.rarely)?\s*\.(fatal|error|warn|info|debug|trace)\(/g);
    return Array.from(calls, ({ index, 0: begin, 1: rarely, 2: level = "" }) => {
      const message = lastText(code.slice(index + begin.length));
      return { path, level, isRare: rarely !== undefined, message };
    });
  });
}

/** The text literal that is the last argument of a call. */
function lastText(rest: string): string | null {
  let depth = 1;
  let last: string | null = null;
  for (const [token] of rest.matchAll(/"(?:[^"\\]|\\.)*"|`[^`]*`|[()]|[^"`()]+/g)) {
    if (token === "(") depth++;
    if (token === ")") depth--;
    if (depth === 0) break;
    if (token.startsWith('"')) last = JSON.parse(token) as string;
    else if (!/^[\s,]*$/.test(token)) last = null;
  }
  return last;
}

describe("the table of the log", () => {
  it("docs/logs.md says what may be logged, at which level, with which fields, how often", async () => {
    const events = [
      cells("level", "message (`msg`)", "cause", "fields", "means"),
      "| --- | --- | --- | --- | --- |",
      ...Object.entries(EVENTS).map(eventRow),
    ];
    const fields = [
      cells("field", "holds", "means"),
      "| --- | --- | --- |",
      ...Object.entries(FIELDS).map(([name, { takes, means }]) => cells(`\`${name}\``, takes, means)),
    ];
    const page = [INTRODUCTION.trim(), "## Events", events.join("\n"), "## Fields", fields.join("\n")].join("\n\n");
    const formatted = await format(page, { parser: "markdown", printWidth: 120 });
    await expect(formatted, `to write it anew: ${REGENERATE}`).toMatchFileSnapshot(PAGE);
  });

  it("has every call of the code, at its level and as rare as it is said, and the code has every entry", () => {
    const found = sayings();
    for (const { path, level, isRare, message } of found) {
      const event = EVENTS[message ?? ""];
      expect(event, `${path}: ${message ?? "a message that is no text of its own"}`).toBeDefined();
      expect([level, isRare], `${path}: ${message ?? ""}`).toEqual([event?.level, event?.cause !== null]);
    }
    expect(new Set(found.map(({ message }) => message))).toEqual(new Set(Object.keys(EVENTS)));
  });

  it("has no field that no line has, and for each rare event a cause of fields that every line of it has", () => {
    const used = Object.values(EVENTS).flatMap(({ fields }) => fields.map((name) => name.replace("?", "")));
    expect(new Set(used)).toEqual(new Set(Object.keys(FIELDS)));
    for (const [message, { fields, cause }] of Object.entries(EVENTS)) {
      expect(fields, message).toEqual(expect.arrayContaining([...(cause ?? [])]));
      expect(cause ?? [], message).not.toContain(expect.stringContaining("?"));
    }
  });
});
