import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { Client } from "../client.ts";

/** The job of a row, or of a step of it: `BATCH-ROW`, `BATCH-ROWr1`, `BATCH-ROW-send`. */
const ROW_JOB = /^(b[0-9a-z]{9})-([1-9]\d{0,6})(?:r\d+)?(?:-[a-z0-9-]+)?$/;

/** `work`; where there is no such job or onboarding, the error says what the id is of instead, and which command knows more. */
export async function toldWhatItIs<T>(client: Client, id: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SatyapanError) || error.code !== ErrorCode.UNKNOWN_JOB) throw error;
    const told = await whatItIs(client, id);
    throw told === null ? error : new SatyapanError(ErrorCode.UNKNOWN_JOB, told, { cause: error });
  }
}

/** Null: nothing has this id. */
async function whatItIs(client: Client, id: string): Promise<string | null> {
  const onboarding = await client.onboardings.get(id);
  if (onboarding !== null) {
    const { state, step, job } = onboarding;
    return `${id} is an onboarding, ${state} at its step ${step}: see \`satyapan onboard show ${id}\`; the step's job is ${job}`;
  }
  const job = await client.get(id);
  if (job !== null)
    return `${id} is a job of ${job.operation}, ${job.state}, and no onboarding: see \`satyapan show ${id}\``;
  const [, batch = "", row = ""] = ROW_JOB.exec(id) ?? [];
  if (batch === "" || !(await isThere(client, batch))) return null;
  return (
    `row ${row} of batch ${batch} has no record of that id now: it waits to be handed over, or has ended; ` +
    `\`satyapan batch results ${batch}\` tells what became of it`
  );
}

async function isThere(client: Client, batch: string): Promise<boolean> {
  try {
    await client.batches.show(batch);
    return true;
  } catch (error) {
    if (error instanceof SatyapanError && error.code === ErrorCode.UNKNOWN_BATCH) return false;
    throw error;
  }
}
