import { rowJobId } from "../src/batches/keys.ts";
import { countMessages } from "./messages.ts";
import type { EndedRun } from "./runs.ts";
import { sightings } from "./sightings.ts";
import { FILE, LOG_FILE, SETTINGS, type Stage, WORKERS } from "./stage.ts";

/** What somebody is told who sees it for the first time. */
export function introduce({ folder, simulator }: Stage, senders: number): string {
  const settings = Object.entries(SETTINGS).map(([name, value]) => `${name}=${value}`);
  return [
    "Satyapan demo: everybody in it is made up, and nothing leaves this machine.",
    "",
    `  senders    ${senders}, in ${FILE}: each is onboarded with Eko, and identified`,
    "             with Deepvue",
    "  people     read the code from their phone after a while; some mistype it,",
    "             some never answer",
    `  workers    ${WORKERS} processes, with a Redis of their own`,
    `  providers  a stand-in for Eko and Deepvue, at ${simulator.url}`,
    `  folder     ${folder}`,
    "",
    "So that it fits into a minute it has its own quotas and waits:",
    `  ${settings.slice(0, 3).join(" ")}`,
    `  ${settings.slice(3).join(" ")}`,
    "",
  ].join("\n");
}

export interface Conclusion {
  readonly text: string;
  /** What was to be shown, and was not. */
  readonly failures: readonly string[];
}

/** What the stand-in saw, and where to look further. */
export function conclude({ folder, simulator }: Stage, runs: readonly EndedRun[], tookMs: number): Conclusion {
  const { requests } = simulator;
  const stats = simulator.stats();
  const seen = sightings({ requests, runs });
  const sms = countMessages(stats, requests, runs);
  const overruns = stats.quotas.eko.overruns + stats.quotas.deepvue.overruns;
  const text = [
    "",
    "Met on the way, as the stand-in saw it:",
    counted(seen.map(({ what, count }) => [count, what])),
    "SMS that it sent:",
    counted([
      [sms.first, "the first to a person, from each provider"],
      [sms.askedAgain, "once more, because nobody answered (--resends 1)"],
      [sms.afterUnknown, "once more, because a connection to Deepvue broke (its 409 guards the person)"],
      [sms.unasked, "without a reason"],
      [sms.sent, "in all"],
    ]),
    `${stats.requests} calls in ${(tookMs / 1_000).toFixed(1)} s, ${overruns} over a quota.`,
    "",
    "All of it is kept, to look further:",
    lookFurther(folder, runs),
    "README.md has your first job, docs/batches.md a first batch of your own.",
    "",
  ].join("\n");
  const failures = [
    ...seen.filter(({ count }) => count === 0).map(({ what }) => `not met: ${what}`),
    ...(sms.unasked > 0 ? [`${sms.unasked} SMS were sent without a reason`] : []),
    ...(overruns > 0 ? [`${overruns} calls went over a quota`] : []),
    ...runs.flatMap(({ name, batch, results }) =>
      results.length === batch.rows ? [] : [`batch ${name} has ${results.length} results for ${batch.rows} rows`],
    ),
  ];
  return { text, failures };
}

/** Commands that work as they stand there. */
function lookFurther(folder: string, runs: readonly EndedRun[]): string {
  const unknown = runs.flatMap(({ batch, results }) =>
    results
      .filter(({ state }) => state === "unknown")
      .map(({ row, repaired, asked_again }) => rowJobId(batch.id, row, repaired + asked_again)),
  );
  const commands: readonly (readonly [string, string])[] = [
    ["./satyapan batch list", "both batches"],
    ["./satyapan batch results senders --only unknown", "those rows, and what to do"],
    ...unknown.slice(0, 1).map((id) => [`./satyapan onboard show ${id}`, "how far one of them came"] as const),
    ["./satyapan audit export --since 1d", "who did what"],
    [`less ${LOG_FILE}`, "what the workers did"],
    [`rm -r ${folder}`, "when you have seen enough"],
  ];
  const width = Math.max(...commands.map(([command]) => command.length));
  return `  cd ${folder}\n${commands.map(([command, what]) => `  ${command.padEnd(width)}  ${what}\n`).join("")}`;
}

function counted(rows: readonly (readonly [number, string])[]): string {
  const width = Math.max(...rows.map(([count]) => String(count).length));
  return rows.map(([count, what]) => `  ${String(count).padStart(width)}  ${what}\n`).join("");
}
