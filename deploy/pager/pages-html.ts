import type { ToldPage } from "./page-book.ts";

const STYLE = `body{font:16px/1.4 system-ui,sans-serif;margin:2rem;color:#1c1e21}table{border-collapse:collapse;width:100%}
td,th{padding:.5rem .75rem;text-align:left;vertical-align:top;border-bottom:1px solid #d8dadd}
.firing.page .state{background:#c4162a;color:#fff}.firing.ticket .state{background:#ff9830}.resolved{color:#7b8087}
p{margin:0}`;

/** All that was told, the newest first, for a browser. It asks again by itself every 5 s. */
export function pagesHtml(pages: readonly ToldPage[]): string {
  const firing = pages.filter(({ status }) => status === "firing").length;
  const rows = pages.toReversed().map(row).join("");
  const body = rows === "" ? "<p>Nobody was told anything.</p>" : `<table>${HEAD}${rows}</table>`;
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<title>${firing} firing</title><style>${STYLE}</style></head><body><h1>Pages and tickets: ${firing} firing</h1>
${body}</body></html>\n`;
}

const HEAD = "<tr><th>state</th><th>told at (UTC)</th><th>alert</th><th>what</th><th>next</th></tr>";

function row({ status, severity, alert, summary, description, runbook, dashboard, toldAt, overAt }: ToldPage): string {
  const over = overAt === null ? "" : `, over at ${clock(overAt)}`;
  const next = [link("dashboard", dashboard), link("runbook", runbook)].filter((text) => text !== "").join("<br>");
  return `<tr class="${escape(status)} ${escape(severity)}"><td class="state">${escape(severity)}</td>
<td>${clock(toldAt)}${over}</td><td>${escape(alert)}</td><td><strong>${escape(summary)}</strong><p>${escape(description)}</p></td>
<td>${next}</td></tr>`;
}

/** A path of the repository is only named. */
function link(name: string, target: string): string {
  return /^https?:\/\//.test(target) ? `<a href="${escape(target)}">${name}</a>` : escape(target);
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19);
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);
}
