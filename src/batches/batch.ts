import { UNREAD, type Unread } from "../base/unread.ts";
import type { QueueName } from "../queues/names.ts";
import { BATCH_STATES, type BatchState, openRows } from "./batch-state.ts";
import { noRows, ROW_BYTES, ROW_STATES, type RowCounts } from "./row-state.ts";

/** What each row of a batch runs. */
export interface BatchTarget {
  readonly kind: "operation" | "flow";
  readonly name: string;
}

/** What was said of a batch when it was submitted; some of it can be changed while it runs. */
export interface BatchTerms {
  readonly name: string;
  readonly target: BatchTarget;
  /** Whose it is: tenants share what there is before their batches do. */
  readonly tenant: string;
  /** Its share of what its tenant gets, against the tenant's other batches. */
  readonly weight: number;
  /** Stops by itself when more than this part of its rows failed or were rejected, 0 to 1; null: never. */
  readonly stopAt: number | null;
  /** The most challenges that are open at once; null: any number. */
  readonly openLimit: number | null;
  /** How often a row goes back to the end of the batch whose challenge nobody answered. */
  readonly resends: number;
  /** A row's deadline, from when it is handed to the queue, in ms; null: none. */
  readonly expiresInMs: number | null;
  /** Who submitted it, by the name in the audit log. */
  readonly submittedBy: string;
}

/** A batch as it is kept. Times in ms. */
export interface Batch extends BatchTerms {
  readonly id: string;
  readonly queue: QueueName;
  readonly state: BatchState;
  readonly reason: string | null;
  /** Why nothing of it is handed over though it goes on; null: it is. */
  readonly obstacle: string | null;
  readonly rows: number;
  readonly counts: RowCounts;
  /** What they were at the last `resume`. */
  readonly since: RowCounts;
  /** Rows that end in a second, of late. */
  readonly rate: number;
  /** How many times mended rows came back: whoever holds the rows' states reads them again when it grows. */
  readonly repairs: number;
  readonly createdAt: number;
  readonly endedAt: number | null;
}

/** What scripts and people see of a batch. Times are ISO 8601 in UTC. */
export interface BatchView {
  readonly id: string;
  readonly name: string;
  readonly flow?: string;
  readonly operation?: string;
  readonly tenant: string;
  readonly state: BatchState;
  readonly reason: string | null;
  readonly rows: number;
  /** Every state; they add up to `rows`. */
  readonly counts: RowCounts;
  readonly weight: number;
  readonly open_challenges: number;
  /** The most that are open at once; null: any number. */
  readonly open_limit: number | null;
  /** Rows that end in a second, of late. */
  readonly rate: number;
  readonly created_at: string;
  readonly ended_at: string | null;
  /** By what it came to of late; null where nothing moves. */
  readonly estimated_end: string | null;
  /** Set on the answer to a `submit` of what was there before. */
  readonly duplicate?: true;
}

type Fields = Readonly<Record<string, string>>;

/** A batch's hash, as it is written first. */
export function packTerms(terms: BatchTerms, createdAt: number): Record<string, string> {
  const { name, target, tenant, weight, stopAt, openLimit, resends, expiresInMs, submittedBy } = terms;
  const text = (value: number | null): string => (value === null ? "" : String(value));
  return {
    ...{ name, kind: target.kind, target: target.name, tenant, weight: String(weight), stop_at: text(stopAt) },
    ...{ open_limit: text(openLimit), resends: String(resends), expires_in: text(expiresInMs), by: submittedBy },
    ...{ state: "checking", rows: "0", created: String(createdAt), updated: String(createdAt) },
  };
}

/** Null: there is no batch. */
export function parseBatch(queue: QueueName, id: string, fields: Fields): Batch | Unread | null {
  if (fields["state"] === undefined) return null;
  const state = BATCH_STATES.find((known) => known === fields["state"]);
  const { kind, target = "" } = fields;
  if (state === undefined || (kind !== "operation" && kind !== "flow")) return UNREAD;
  return {
    ...{ id, queue, state, name: fields["name"] ?? "", target: { kind, name: target } },
    tenant: fields["tenant"] ?? "",
    weight: numberIn(fields, "weight") ?? 1,
    stopAt: numberIn(fields, "stop_at"),
    openLimit: numberIn(fields, "open_limit"),
    resends: numberIn(fields, "resends") ?? 0,
    expiresInMs: numberIn(fields, "expires_in"),
    submittedBy: fields["by"] ?? "",
    reason: textIn(fields, "reason"),
    obstacle: textIn(fields, "obstacle"),
    rows: numberIn(fields, "rows") ?? 0,
    counts: countsIn(fields, "n:"),
    since: countsIn(fields, "since:"),
    rate: numberIn(fields, "rate") ?? 0,
    repairs: numberIn(fields, "repairs") ?? 0,
    createdAt: numberIn(fields, "created") ?? 0,
    endedAt: numberIn(fields, "ended"),
  };
}

export function viewOf(batch: Batch, now: number): BatchView {
  const { id, name, target, tenant, state, reason, rows, counts, weight, openLimit, rate } = batch;
  const iso = (ms: number): string => new Date(ms).toISOString();
  const isMoving = (state === "running" || state === "ready") && rate > 0;
  return {
    ...{ id, name },
    ...(target.kind === "flow" ? { flow: target.name } : { operation: target.name }),
    ...{ tenant, state, reason: reason ?? batch.obstacle, rows, counts, weight },
    ...{ open_challenges: counts.awaiting_otp, open_limit: openLimit, rate },
    created_at: iso(batch.createdAt),
    ended_at: batch.endedAt === null ? null : iso(batch.endedAt),
    estimated_end: isMoving ? iso(Math.round(now + (1_000 * openRows(counts)) / rate)) : null,
  };
}

/** In the order of `ROW_STATES`. */
export function countsOf(numbers: readonly (string | number | null)[]): RowCounts {
  return Object.fromEntries(ROW_STATES.map((state, index) => [state, Number(numbers[index] ?? 0)])) as RowCounts;
}

function countsIn(fields: Fields, prefix: string): RowCounts {
  const counts = noRows();
  for (const state of ROW_STATES) counts[state] = numberIn(fields, `${prefix}${ROW_BYTES[state]}`) ?? 0;
  return counts;
}

function textIn(fields: Fields, name: string): string | null {
  const text = fields[name] ?? "";
  return text === "" ? null : text;
}

function numberIn(fields: Fields, name: string): number | null {
  const text = fields[name];
  const value = Number(text);
  return text === undefined || text === "" || !Number.isFinite(value) ? null : value;
}
