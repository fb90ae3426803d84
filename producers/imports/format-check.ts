import { formatQuota } from "../../src/limits/parse-quota.ts";
import { formatTable } from "../report/table.ts";
import type { FileCheck } from "./check-file.ts";
import type { Estimate } from "./estimate.ts";
import type { ImportTarget } from "./import-target.ts";
import type { ProblemGroup } from "./problem-groups.ts";
import { counted } from "../report/counted.ts";

/** A report that is longer scrolls its own beginning away; `--json` has all. */
const SHOWN_GROUPS = 20;

/** What was found, for people: numbers, columns, what to mend, and what running it takes. */
export function formatCheck(check: FileCheck, target: ImportTarget, takes: Estimate, now: number): string {
  const { name, rows, good, bad, duplicates, held } = check;
  const elsewhere = held === null ? "" : `, ${held} for a person whom a batch or an onboarding has`;
  const head = `${name}: ${counted(rows, "row")} for ${target.kind} ${target.name}: ${good} good, ${bad} bad, ${duplicates} for a person of an earlier row${elsewhere}\n`;
  return [
    head,
    formatColumns(check),
    formatProblems(check.problems),
    formatTwice(check),
    formatHeld(check),
    good === 0 ? "" : formatEstimate(takes, now),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

/** The same for scripts. */
export function checkJson(check: FileCheck, target: ImportTarget, takes: Estimate, now: number): object {
  const { name, rows, good, bad, duplicates, twice, held, heldBy } = check;
  const { calls, sms, ahead, takesMs, quota, cost, unpriced } = takes;
  return {
    ...{ file: name, [target.kind]: target.name, rows, good, bad, duplicates, held },
    columns: check.columns.map(({ name: column, use }) => ({
      name: column,
      as: use.kind === "field" ? use.field : use.kind,
    })),
    problems: check.problems,
    ...{ twice, held_by: heldBy },
    estimate: {
      ...{ calls, sms, quota: formatQuota(quota), queued_before: ahead },
      finishes_at: takesMs === null ? null : { earliest: iso(now + takesMs.least), latest: iso(now + takesMs.most) },
      cost_rupees: cost === null ? null : { least: rupees(cost.least), most: rupees(cost.most) },
      without_price: unpriced,
    },
  };
}

function formatColumns({ columns }: FileCheck): string {
  const rows = columns.map(({ name, use }) => [name, use.kind === "field" ? use.field : MEANINGS[use.kind]]);
  return formatTable([{ title: "column" }, { title: "is" }], rows);
}

const MEANINGS = {
  ref: "the row's own reference, kept in clear",
  shown: "not needed; kept for the results, without numbers of persons",
} as const;

/** What to do, and where. The most frequent first. */
export function formatProblems(groups: readonly ProblemGroup[]): string {
  if (groups.length === 0) return "";
  const lines = groups.slice(0, SHOWN_GROUPS).map(({ field, column, message, count, first }) => {
    const where = column === null ? field : column === field ? column : `${column} (${field})`;
    const places = first.map(({ line, form }) => `line ${line}${form === "" ? "" : ` \`${form}\``}`).join(", ");
    const more = count > first.length ? ", …" : "";
    return `  ${counted(count, "row")}: ${where === "" ? "" : `${where}: `}${message}\n    ${places}${more}\n`;
  });
  const more = groups.length - SHOWN_GROUPS;
  return `To mend:\n${lines.join("")}${more > 0 ? `  … and ${counted(more, "other problem")}\n` : ""}`;
}

function formatTwice({ duplicates, twice }: FileCheck): string {
  if (duplicates === 0) return "";
  const places = twice.map(({ row, first }) => `row ${row} (as row ${first})`).join(", ");
  return `For a person of an earlier row, so not called: ${places}${duplicates > twice.length ? ", …" : ""}\n`;
}

function formatHeld({ held, heldBy }: FileCheck): string {
  if (held === null)
    return "Whether a batch or an onboarding has one of these persons already is not known: Redis was not asked, or is away\n";
  if (held === 0) return "";
  const places = heldBy.map(({ row, reason }) => `row ${row} (${reason})`).join(", ");
  return `For a person whom a batch or an onboarding has, so not called: ${places}${held > heldBy.length ? ", …" : ""}\n`;
}

function formatEstimate({ calls, sms, ahead, takesMs, quota, cost, unpriced }: Estimate, now: number): string {
  const pace = `at ${formatQuota(quota)}`;
  const queue =
    ahead === null
      ? "what else is queued is not known: Redis was not asked, or is away"
      : `behind ${counted(ahead, "call")} of others`;
  const end =
    takesMs === null
      ? `never: the quota allows no call`
      : `${span([inWords(takesMs.least), inWords(takesMs.most)])}, until ${span([iso(now + takesMs.least), iso(now + takesMs.most)])}`;
  const price = cost === null ? "not known: set CALL_PRICES" : `₹${span([rupees(cost.least), rupees(cost.most)])}`;
  const rest =
    cost !== null && unpriced.length > 0 ? ` without ${unpriced.join(", ")}, which CALL_PRICES does not have` : "";
  return [
    "Running the good rows takes, without what is tried again:",
    `  calls   ${span([calls.least, calls.most])}`,
    `  SMS     ${span([sms.least, sms.most])}`,
    `  time    ${end} (${pace}; ${queue})`,
    `  cost    ${price}${rest}`,
    "",
  ].join("\n");
}

function span([least, most]: readonly [string | number, string | number]): string {
  return least === most ? String(least) : `${least} to ${most}`;
}

/** `3 d 4 h`, `12 min`, `under a minute`. */
function inWords(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes === 0) return "under a minute";
  const [days, hours] = [Math.floor(minutes / 1_440), Math.floor((minutes % 1_440) / 60)];
  if (days > 0) return hours === 0 ? `${days} d` : `${days} d ${hours} h`;
  return hours === 0 ? `${minutes} min` : `${hours} h ${minutes % 60} min`;
}

function iso(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

function rupees(amount: number): number {
  return Math.round(amount * 100) / 100;
}
