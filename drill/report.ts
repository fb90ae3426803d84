import type { DrillReport } from "./play.ts";

/** One drill's outcome, for a terminal. */
export function formatDrill({ drill, told, silenced, missing, wrong, said }: DrillReport): string {
  const lines = [
    `${drill.name}: ${drill.what}`,
    ...told.map(({ alert, severity, afterS, summary }) => `  after ${afterS} s  ${severity}  ${alert}: ${summary}`),
    ...(told.length === 0 ? ["  nobody was told anything"] : []),
    ...(silenced.length === 0 ? [] : [`  silent beside it: ${silenced.join(", ")}`]),
    ...Object.entries(said).map(([command, text]) => `  ${command}: ${text}`),
    ...(missing.length === 0 ? [] : [`  MISSING: ${missing.join(", ")}`]),
    ...(wrong.length === 0 ? [] : [`  WRONG: ${wrong.join(", ")}`]),
  ];
  return `${lines.join("\n")}\n`;
}
