import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DRILLS } from "../../drill/drills.ts";
import { withDrill } from "../../drill/page.ts";
import type { DrillReport } from "../../drill/play.ts";

const PAGE = readFileSync(new URL("../../docs/drills.md", import.meta.url), "utf8");
const [FIRST] = DRILLS;

function reportOf(name: string): DrillReport {
  if (FIRST === undefined) throw new Error("there are no drills");
  const summary = "Worker 127.0.0.1:40123 does not answer | at all";
  const page = {
    ...{ key: "1", status: "firing" as const, alert: "WorkerDown", severity: "ticket", summary, description: "" },
    ...{ runbook: "", dashboard: "", startsAt: "", toldAt: 0, overAt: null, afterS: 41 },
  };
  return {
    ...{ drill: { ...FIRST, name, what: "something new" }, told: [page, page], silenced: ["NoWorker", "JobsFail"] },
    ...{ missing: [], wrong: [], said: { explain: "state queued", doctor: "all is well", "provider show": "none" } },
  };
}

describe("docs/drills.md", () => {
  it("has a row and a section of every drill", () => {
    for (const { name } of DRILLS) {
      expect(PAGE).toContain(`\n| \`${name}\` `);
      expect(PAGE).toContain(`\n## ${name}\n`);
    }
  });

  it.each(["frozen", "heartbeat", "a-new-one"])("is given what %s came to, and nothing else of it changes", (name) => {
    const page = withDrill(PAGE, reportOf(name));
    const told = "ticket `WorkerDown` after 41 s: Worker 127.0.0.1:PORT does not answer \\| at all";
    expect(page.split("\n").filter((line) => line.startsWith(`| \`${name}\` `))).toEqual([
      `| \`${name}\` | something new | ${told}<br>${told} | NoWorker, JobsFail |`,
    ]);
    const section = `## ${name}\n\n- \`explain\`: state queued\n- \`doctor\`: all is well\n- \`provider show\`: none\n`;
    expect(page.split(section)).toHaveLength(2);
    const rest = (text: string): string[] =>
      text
        .split(/^(?=## )/m)
        .filter((one) => !one.startsWith(`## ${name}\n`))
        .map((one) => one.trimEnd())
        .join("\n")
        .split("\n")
        .filter((line) => !line.startsWith(`| \`${name}\` `));
    expect(rest(page)).toEqual(rest(PAGE));
  });
});
