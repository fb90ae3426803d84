import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import type { BatchView } from "../../src/batches/batch.ts";
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
  const named = await findBatch(client, id);
  if (named !== null)
    return `${id} is a batch, ${named.state}: see \`satyapan batch show ${named.id}\`; its rows are ${named.id}-1, ${named.id}-2, …`;
  const [, batch = "", row = ""] = ROW_JOB.exec(id) ?? [];
  if (batch === "" || (await findBatch(client, batch)) === null) return null;
  return (
    `row ${row} of batch ${batch} has no record of that id now: it waits to be handed over, or has ended; ` +
    `\`satyapan batch results ${batch}\` tells what became of it`
  );
}

async function findBatch(client: Client, batch: string): Promise<BatchView | null> {
  try {
    return await client.batches.show(batch);
  } catch (error) {
    if (error instanceof SatyapanError && error.code === ErrorCode.UNKNOWN_BATCH) return null;
    throw error;
  }
}
