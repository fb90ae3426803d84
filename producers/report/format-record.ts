import type { JobRecord, RecordedOutcome } from "../../src/records/record.ts";
import { isTerminal } from "../../src/outcomes/state.ts";
import { formatTable } from "./table.ts";

/** A record for people: what it is, where it stands, why, and each attempt. */
export function formatRecord(record: JobRecord): string {
  const lines: [string, string | null][] = [
    ["job", `${record.id}${mark(record)}`],
    ["operation", record.operation],
    ["lane", record.lane],
    ["state", record.state],
    ["reason", record.reason],
    ["unreadable", describeBroken(record)],
    ["tried again", record.next_attempt_at],
    ["expires", record.expires_at],
    ["trace", record.trace_id ?? null],
    ["created", record.created_at],
    ["updated", record.updated_at],
    ...Object.entries(record.result ?? {}).map(([field, value]): [string, string] => [
      `result.${field}`,
      String(value),
    ]),
    ...(record.decisions ?? []).map(({ decision, reason, at }): [string, string] => [
      "decided",
      `${at} ${decision}${reason === null ? "" : `: ${reason}`}`,
    ]),
  ];
  const shown = lines.filter((line): line is [string, string] => line[1] !== null);
  const width = Math.max(...shown.map(([name]) => name.length));
  const head = shown.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join("");
  return record.attempts.length === 0 ? head : `${head}\n${attemptTable(record)}`;
}

function describeBroken({ unreadable }: JobRecord): string | null {
  if (unreadable === undefined) return null;
  return `${unreadable.join(", ")}: not what was stored (altered, cut off, or of a later version); the rest is shown`;
}

function mark({ duplicate, reused, state }: JobRecord): string {
  if (duplicate === true) return " (was there already)";
  if (reused !== true) return "";
  return ` (its OTP is ${isTerminal(state) ? "still open" : "on its way"}: nothing was sent)`;
}

function attemptTable({ attempts }: JobRecord): string {
  const rows = attempts.map(({ n, client_ref_id, started_at, ended_at, outcome }) => [
    n,
    client_ref_id,
    started_at,
    ended_at === null ? "open" : `${Date.parse(ended_at) - Date.parse(started_at)} ms`,
    outcome === null ? "-" : describeOutcome(outcome),
  ]);
  const columns = [
    { title: "attempt" },
    { title: "client_ref_id" },
    { title: "started" },
    { title: "took" },
    { title: "outcome" },
  ];
  return formatTable(columns, rows);
}

function describeOutcome(outcome: RecordedOutcome): string {
  const codes = [
    ["http", outcome.http_status],
    ["status", outcome.status],
    ["response_status_id", outcome.response_status_id],
    ["response_type_id", outcome.response_type_id],
    ["sub_code", outcome.sub_code],
  ].flatMap(([name, value]) => (value === null ? [] : [`${name} ${value}`]));
  const message = outcome.message === null ? "" : `: ${outcome.message}`;
  return `${outcome.kind}${codes.length === 0 ? "" : ` (${codes.join(", ")})`}${message}`;
}

/** Sealed values in clear, or that there are none (any more). */
export function formatValues(name: string, values: Readonly<Record<string, unknown>> | null): string {
  if (values === null) return `${name}: nothing is kept\n`;
  const lines = Object.entries(values).map(([field, value]) => {
    // A terminal would obey control characters, and they are somebody else's.
    const text = typeof value === "string" && !/\p{Cc}/u.test(value) ? value : JSON.stringify(value);
    return `${name}.${field}  ${text}\n`;
  });
  return lines.join("");
}
