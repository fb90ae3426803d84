import type { ChallengeRecord, OnboardingRecord } from "../onboardings/onboarding-record.ts";
import { formatTable } from "./table.ts";

/**
 * An onboarding for people: where it stands, why, what is awaited, and which jobs were its steps. `why`: its step's job is not
 * done yet; null: nothing is to be said of that.
 */
export function formatOnboarding(record: OnboardingRecord, why: string | null): string {
  const { id, flow, state, step, job, reason, challenge, duplicate, result } = record;
  const lines: [string, string | null][] = [
    ["onboarding", `${id}${duplicate === true ? " (was there already)" : ""}`],
    ["flow", flow],
    ["lane", record.lane],
    ["state", state],
    ["step", `${step} (job ${job})`],
    ["reason", reason],
    ["why", why],
    ["what to do", whatToDo(record)],
    ...(challenge === null ? [] : challengeLines(challenge)),
    ["expires", record.expires_at],
    ["trace", record.trace_id ?? null],
    ["created", record.created_at],
    ["updated", record.updated_at],
    ...Object.entries(result ?? {}).map(([field, value]): [string, string] => [`result.${field}`, String(value)]),
  ];
  const shown = lines.filter((line): line is [string, string] => line[1] !== null);
  const width = Math.max(...shown.map(([name]) => name.length));
  const head = shown.map(([name, value]) => `${name.padEnd(width)}  ${value}\n`).join("");
  if (record.steps.length === 0) return head;
  const rows = record.steps.map((done) => [done.step, done.job]);
  return `${head}\n${formatTable([{ title: "step done" }, { title: "job" }], rows)}`;
}

export function formatOnboardings(records: readonly OnboardingRecord[]): string {
  if (records.length === 0) return "none\n";
  const rows = records.map(({ id, flow, state, step, challenge, created_at, reason }) => [
    ...[id, flow, state, step, created_at],
    challenge?.deadline === undefined || challenge.deadline === null ? "" : `code until ${challenge.deadline}`,
    reason ?? "",
  ]);
  const titles = ["onboarding", "flow", "state", "step", "created", "awaits", "reason"];
  return formatTable(
    titles.map((title) => ({ title })),
    rows,
  );
}

function challengeLines({
  state,
  deadline,
  tries_left,
  sends_left,
  resend_from,
}: ChallengeRecord): [string, string | null][] {
  return [
    ["code", state === "checking" ? "is being checked" : state],
    ["code until", deadline],
    ["tries left", String(tries_left)],
    ["sends left", `${sends_left}${resend_from === null || sends_left === 0 ? "" : `, from ${resend_from}`}`],
  ];
}

function whatToDo({ id, state, job, challenge }: OnboardingRecord): string | null {
  switch (state) {
    case "awaiting_otp":
      return challenge?.state === "over"
        ? `its ${challenge.tries_left === 0 ? "tries are used up" : "code did not come in time"}: satyapan otp ${id} --resend`
        : `ask for the code: satyapan otp ${id} CODE`;
    case "unknown":
      return `whether it happened is for you to decide: satyapan settle ${job} succeeded|rejected|resend --reason TEXT`;
    case "running":
    case "succeeded":
    case "rejected":
    case "failed":
    case "expired":
    case "cancelled":
      return null;
  }
}
