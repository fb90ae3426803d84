import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError } from "commander";
import { format, resolveConfig } from "prettier";
import { DRILLS } from "./drills.ts";
import { type DrillReport, play } from "./play.ts";
import { withDrill } from "./page.ts";
import { formatDrill } from "./report.ts";

// Incidents against real workers, Redis and the simulator, watched by a real Prometheus and Alertmanager with what is shipped.

interface Flags {
  readonly interval: number;
  readonly write?: true;
}

const PAGE = fileURLToPath(new URL("../docs/drills.md", import.meta.url));

const names = DRILLS.map(({ name }) => name);
const program = new Command("drill")
  .description("plays an incident, and says who was told what, how soon, and what the commands of the first look said")
  .argument("<names...>", `all, or some of: ${names.join(", ")}`)
  .option("--interval <seconds>", "between two scrapes, and two looks at the rules; shipped are 15", seconds, 2)
  .option("--write", "write into docs/drills.md what those that went as they should came to")
  .action(async (asked: readonly string[], { interval, write }: Flags) => {
    const unknown = asked.filter((name) => name !== "all" && !names.includes(name));
    if (unknown.length > 0) program.error(`no drill is called ${unknown.join(", ")}: ${names.join(", ")}`);
    const drills = DRILLS.filter(({ name }) => asked.includes("all") || asked.includes(name));
    process.stdout.write(
      `scrapes and rules every ${interval} s (shipped: 15 s); Alertmanager groups for 3 s (shipped: 10 s)\n`,
    );
    let failed = 0;
    for (const drill of drills) {
      const report = await play(drill, interval).catch((error: unknown) => String(error));
      if (typeof report === "string") {
        process.stdout.write(`${drill.name} could not be played: ${report}\n`);
        failed += 1;
        continue;
      }
      process.stdout.write(formatDrill(report));
      const isRight = report.missing.length === 0 && report.wrong.length === 0;
      if (!isRight) failed += 1;
      else if (write) await writePage(report);
    }
    process.stdout.write(`${drills.length - failed} of ${drills.length} drills went as they should\n`);
    if (failed > 0) process.exitCode = 1;
  });

async function writePage(report: DrillReport): Promise<void> {
  const page = withDrill(await readFile(PAGE, "utf8"), report);
  await writeFile(PAGE, await format(page, { ...(await resolveConfig(PAGE)), parser: "markdown" }));
}

function seconds(text: string): number {
  const number = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (number > 0) return number;
  throw new InvalidArgumentError("--interval must be a whole number of seconds from 1 to 99.");
}

// What was started ends with this process.
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => process.exit(130));
await program.parseAsync();
