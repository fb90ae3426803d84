import type { DrillReport } from "./play.ts";

/** docs/drills.md with what this drill came to in the place of what it came to before: its row of the table, and its section. */
export function withDrill(page: string, report: DrillReport): string {
  return withSection(withRow(page, report), report);
}

function withRow(page: string, { drill, told, silenced }: DrillReport): string {
  const notices = told.map(
    ({ alert, severity, afterS, summary }) => `${severity} \`${alert}\` after ${afterS} s: ${summary}`,
  );
  const cells = [`\`${drill.name}\``, drill.what, notices.join("<br>"), silenced.join(", ") || "–"];
  const row = `| ${cells.map((cell) => withoutPorts(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  const lines = page.split("\n");
  const at = lines.findIndex((line) => line.startsWith(`| \`${drill.name}\` `));
  if (at >= 0) return lines.with(at, row).join("\n");
  return lines.toSpliced(lines.findLastIndex((line) => line.startsWith("| `")) + 1, 0, row).join("\n");
}

function withSection(page: string, { drill, said }: DrillReport): string {
  const lines = Object.entries(said).map(([command, text]) => `- \`${command}\`: ${withoutPorts(text)}`);
  const section = `## ${drill.name}\n\n${lines.join("\n")}\n`;
  const [before = "", ...sections] = page.split(/^(?=## )/m);
  const at = sections.findIndex((one) => one.startsWith(`## ${drill.name}\n`));
  const others = at >= 0 ? sections.with(at, section) : [...sections, section];
  return `${before}${others.map((one) => one.trimEnd()).join("\n\n")}\n`;
}

/** They are others each time. */
function withoutPorts(text: string): string {
  return text.replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:PORT");
}
