import type { Settings } from "../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../src/error.ts";
import { subjectOf } from "../src/limits/subject.ts";
import { limitsPrefix, queueOf } from "../src/queues/names.ts";
import type { JobRecord } from "../src/records/record.ts";
import type { CheckedInput } from "./input-check.ts";
import type { Opened } from "./opened.ts";

/** What to do where an OTP that was sent to the same person is still open: send another after the cooldown, or use that. */
export const IF_PENDING = ["wait", "reuse"] as const;
export type IfPending = (typeof IF_PENDING)[number];

const CHUNK = 500;

/**
 * The jobs whose OTPs are open for the same operation and person as these inputs, each marked `reused`; null where there is
 * none, and where the caller's own id names a job already.
 */
export async function openChallenges(
  { redis, records }: Opened,
  { subjectKey }: Settings,
  inputs: readonly CheckedInput[],
  ownIds: readonly (string | null)[],
): Promise<(JobRecord | null)[]> {
  const answers: (JobRecord | null)[] = inputs.map(() => null);
  const asked = inputs.flatMap(({ operation, input }, index) => {
    const subject = subjectOf(subjectKey, operation, input);
    const queue = queueOf(operation.provider);
    return subject === null
      ? []
      : [{ index, queue, key: `${limitsPrefix(queue)}challenge:${subject}:${operation.name}` }];
  });
  for (const [queue, ofQueue] of Map.groupBy(asked, (ask) => ask.queue)) {
    for (let from = 0; from < ofQueue.length; from += CHUNK) {
      const chunk = ofQueue.slice(from, from + CHUNK);
      const ids = await redis.mget(chunk.map(({ key }) => key));
      const open = chunk.flatMap(({ index }, at) => {
        const id = ids[at] ?? null;
        return id === null ? [] : [{ index, id, own: ownIds[index] ?? id }];
      });
      const found = await records.getMany(queue, [...open.map(({ id }) => id), ...open.map(({ own }) => own)]);
      for (const [at, { index, id, own }] of open.entries()) {
        const record = found[at] ?? null;
        const isOwnThere = own === id ? ownIds[index] === id : (found[open.length + at] ?? null) !== null;
        if (record !== null && !isOwnThere) answers[index] = { ...record, reused: true };
      }
    }
  }
  return answers;
}

/** Throws SatyapanError `bad-input` for what is no choice, or for an operation that sends no OTP. */
export function checkIfPending(ifPending: IfPending, inputs: readonly CheckedInput[]): void {
  // Types do not hold callers in JavaScript back.
  if (!IF_PENDING.includes(ifPending)) {
    throw new SatyapanError(ErrorCode.BAD_INPUT, `ifPending: must be ${IF_PENDING.join(" or ")}`);
  }
  const other = inputs.find(({ operation }) => operation.step !== "send");
  if (ifPending === "wait" || other === undefined) return;
  const message = `ifPending: ${other.operation.name} sends no OTP, so there is none to reuse`;
  throw new SatyapanError(ErrorCode.BAD_INPUT, message);
}
