import { formatTable } from "../producers/report/table.ts";
import type { ChaosReport } from "./harness.ts";

/** How many violations of one rule are told one by one. */
const TOLD = 10;

export function formatChaos(report: ChaosReport, seed: number): string {
  const { fates, kills, what: these, jobs, records, requests, otps, rules, violations, archived, tookMs } = report;
  const number = { title: "times", align: "right" } as const;
  const befell = [...fates].toSorted(([a], [b]) => a.localeCompare(b));
  const byRule = Object.entries(rules).map(([rule, meaning]) => [
    rule,
    violations.filter((violation) => violation.rule === rule).length,
    meaning,
  ]);
  const told = Object.keys(rules).flatMap((rule) => violations.filter((one) => one.rule === rule).slice(0, TOLD));
  const states = [...Map.groupBy(records, (record) => record?.state ?? "lost")].map(
    ([state, of]) => `${of.length} ${state}`,
  );
  return [
    `seed ${seed}: ${kills} kills in ${(tookMs / 1_000).toFixed(0)} s, until the last of them was settled`,
    "",
    formatTable([{ title: "what befell" }, number], befell),
    `${jobs} ${these}: ${states.join(", ")}; ${requests} calls, ${otps} OTPs`,
    ...(archived === null
      ? []
      : [
          `${archived.atEnd} of them archived at the end; while archived ${archived.again} submitted again, ${archived.shown} shown`,
        ]),
    "",
    formatTable([{ title: "why unknown" }, number], unknowns(records)),
    formatTable([{ title: "rule" }, { title: "violations", align: "right" }, { title: "what it would be" }], byRule),
    ...told.map(({ rule, where, what }) => `${rule}: ${where}: ${what}`),
    "",
  ].join("\n");
}

function unknowns(records: ChaosReport["records"]): [reason: string, times: number][] {
  const unknown = records.filter((record) => record?.state === "unknown");
  return [...Map.groupBy(unknown, (record) => record?.reason ?? "")].map(([reason, list]) => [reason, list.length]);
}
