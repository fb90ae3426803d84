import type { Settings } from "../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../src/error.ts";
import { subjectOf } from "../src/limits/subject.ts";
import { queueOf } from "../src/queues/names.ts";
import { isOpenChallenge } from "../src/records/challenge.ts";
import { parseRecord } from "../src/records/parse-record.ts";
import type { JobRecord } from "../src/records/record.ts";
import type { CheckedInput } from "./input-check.ts";
import type { Opened } from "./opened.ts";

/** What to do where an OTP that was sent to the same person is still open: send another after the cooldown, or use that. */
export const IF_PENDING = ["wait", "reuse"] as const;
export type IfPending = (typeof IF_PENDING)[number];

const CHUNK = 500;

/**
 * The jobs whose OTPs are open for the same operation and person as these inputs, each marked `reused`; null where there is
 * none, and where the caller's own id names a job already. `now` in ms.
 */
export async function openChallenges(
  { records }: Opened,
  { subjectKey }: Settings,
  now: number,
  inputs: readonly CheckedInput[],
  ownIds: readonly (string | null)[],
): Promise<(JobRecord | null)[]> {
  const answers: (JobRecord | null)[] = inputs.map(() => null);
  const asked = inputs.flatMap(({ operation, input }, index) => {
    const subject = subjectOf(subjectKey, operation, input);
    return subject === null ? [] : [{ index, queue: queueOf(operation.provider), operation: operation.name, subject }];
  });
  for (const [queue, ofQueue] of Map.groupBy(asked, (ask) => ask.queue)) {
    for (let from = 0; from < ofQueue.length; from += CHUNK) {
      const chunk = ofQueue.slice(from, from + CHUNK);
      const sends = await records.lastSends(
        queue,
        chunk.map(({ subject }) => subject),
      );
      const owns = chunk.map(({ index }) => ownIds[index] ?? null);
      const wanted = [...new Set([...sends.flat(), ...owns].filter((id) => id !== null))];
      const fields = await records.fieldsOfMany(queue, wanted);
      const found = new Map(wanted.map((id, at) => [id, fields[at] ?? null]));
      for (const [at, { index, operation }] of chunk.entries()) {
        const own = owns[at] ?? null;
        if (own !== null && found.get(own) !== null) continue;
        const id = (sends[at] ?? []).find((sent) => isOpenChallenge(found.get(sent) ?? {}, operation, now));
        if (id !== undefined) answers[index] = { ...parseRecord(id, found.get(id) ?? {}), reused: true };
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
