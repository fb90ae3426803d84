import { z } from "zod";
import { OUTCOME_KINDS, type Result } from "../outcomes/outcome.ts";
import { LANES } from "../outcomes/lane.ts";
import { JOB_STATES } from "../outcomes/state.ts";
import { unpackJob } from "./stored-job.ts";

/** Attempts that one job can have had at all (facts: a job is tried for days at most); beyond that the number is garbled. */
export const MOST_ATTEMPTS = 100_000;
/** The greatest time that a Date can have, in ms. */
const LAST_MS = 8.64e15;

const Ms = z.number().min(0).max(LAST_MS);
const Value = z.union([z.string(), z.number(), z.null()]);
const StoredOutcome = z.looseObject({
  kind: z.enum(OUTCOME_KINDS),
  http_status: z.number().nullable(),
  status: z.number().nullable(),
  response_status_id: z.number().nullable(),
  response_type_id: z.number().nullable(),
  sub_code: z.string().nullable(),
  message: z.string().nullable(),
});
export const Attempt = z.object({
  client_ref_id: z.string(),
  started: Ms,
  ended: Ms.optional(),
  outcome: StoredOutcome.optional(),
});
export const Decision = z.object({
  decision: z.enum(["succeeded", "rejected", "resend", "retry", "promote"]),
  reason: z.string().nullable(),
  at: Ms,
});
export const StoredResult: z.ZodType<Result> = z.record(z.string(), z.union([Value, z.boolean()]));

/** What the JSON text holds, or undefined where it is not of this form; nothing of it is quoted in any error. */
export function parseStoredJson<T>(form: z.ZodType<T>, text: string): T | undefined {
  try {
    const parsed = form.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** A time as a record holds it; null where it is none. */
export function storedMs(text: string | undefined): number | null {
  if (text === undefined || text === "") return null;
  const parsed = Ms.safeParse(Number(text));
  return parsed.success ? parsed.data : null;
}

/** How many attempts a record says it had; undefined where that is no such number. */
export function storedCount(text: string | undefined): number | undefined {
  const count = Number(text ?? 0);
  return Number.isInteger(count) && count >= 0 && count <= MOST_ATTEMPTS ? count : undefined;
}

/** The fields, among those that decide about a job, that are not what was stored; empty where it can be run. */
export function brokenFields(fields: Readonly<Record<string, string | undefined>>): string[] {
  const { operation, lane, createdAt, expiresAt } = unpackJob(fields["job"] ?? "");
  const isTime = (ms: number): boolean => Ms.safeParse(ms).success;
  const isJob =
    operation !== "" && LANES.includes(lane) && isTime(createdAt) && (expiresAt === null || isTime(expiresAt));
  return [
    ...(isJob ? [] : ["job"]),
    ...((JOB_STATES as readonly (string | undefined)[]).includes(fields["state"]) ? [] : ["state"]),
    ...(storedCount(fields["attempts"]) === undefined ? ["attempts"] : []),
    ...(fields["next"] === undefined || storedMs(fields["next"]) !== null ? [] : ["next"]),
  ];
}
