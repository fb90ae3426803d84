import type { AuditEntry } from "../../src/privacy/audit/entry.ts";
import type { Actor } from "../base/actor.ts";

type BatchEntry = Extract<AuditEntry, { kind: "batch" }>;

/** What the audit log is told of a batch. */
export interface BatchDeed extends Pick<BatchEntry, "batch" | "event"> {
  /** The number that goes with it: of rows, or of codes; null: none does. */
  readonly jobs: number | null;
}

/** `at`: Redis' time, ms. */
export function batchEntry({ name }: Actor, at: number, deed: BatchDeed): BatchEntry {
  return { at: new Date(at).toISOString(), kind: "batch", actor: name, ...deed };
}
