import type { Settings } from "../../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { subjectOf } from "../../src/operations/subject.ts";
import { queueOf } from "../../src/queues/names.ts";
import { isOpenChallenge } from "../../src/records/open-challenge.ts";
import { parseRecord } from "../../src/records/parse-record.ts";
import type { JobRecord } from "../../src/records/record.ts";
import type { RecordStore } from "../../src/records/record-store.ts";
import { isTerminal } from "../../src/outcomes/state.ts";
import type { CheckedInput } from "../../src/entry/input-check.ts";

/** What to do where an OTP to the same person is open or on its way: send another after the cooldown, or use that. */
export const IF_PENDING = ["wait", "reuse"] as const;
export type IfPending = (typeof IF_PENDING)[number];

/** What there is for the person of an input. */
export interface PendingSend {
  /** The job whose OTP is open or on its way, marked `reused`; null: none. */
  readonly record: JobRecord | null;
  /** The person's sends that were looked at. */
  readonly judged: readonly string[];
}

const NOTHING: PendingSend = { record: null, judged: [] };

/**
 * For each of these inputs the send of the same operation to the same person whose OTP is open, or that is queued, waiting or
 * active. None where its id, if there is one in `ids`, names a job already. `now` in ms.
 */
export async function openChallenges(
  records: RecordStore,
  { subjectKey }: Settings,
  now: number,
  inputs: readonly CheckedInput[],
  ids: readonly (string | null)[],
): Promise<PendingSend[]> {
  const answers = inputs.map(() => NOTHING);
  const asked = inputs.flatMap(({ operation, input }, index) => {
    const subject = subjectOf(subjectKey, operation, input);
    return subject === null ? [] : [{ index, queue: queueOf(operation.provider), operation: operation.name, subject }];
  });
  for (const [queue, ofQueue] of Map.groupBy(asked, (ask) => ask.queue)) {
    const subjects = ofQueue.map(({ subject }) => subject);
    const [sends, open] = await Promise.all([records.lastSends(queue, subjects), records.openSends(queue, subjects)]);
    const owns = ofQueue.map(({ index }) => ids[index] ?? null);
    const wanted = [...new Set([...sends.flat(), ...open.flat(), ...owns].filter((id) => id !== null))];
    const fields = await records.fieldsOfMany(queue, wanted);
    const found = new Map(wanted.map((id, at) => [id, fields[at] ?? null]));
    for (const [at, { index, operation }] of ofQueue.entries()) {
      const [judged, own] = [sends[at] ?? [], owns[at] ?? null];
      const id =
        own !== null && found.get(own) !== null
          ? undefined
          : (judged.find((sent) => isOpenChallenge(found.get(sent) ?? {}, operation, now)) ??
            open[at]?.find((other) => isOpenSend(found.get(other) ?? {}, operation)));
      const record = id === undefined ? null : { ...parseRecord(id, found.get(id) ?? {}), reused: true as const };
      answers[index] = { record, judged };
    }
  }
  return answers;
}

function isOpenSend(fields: Readonly<Record<string, string>>, operation: string): boolean {
  if (fields["state"] === undefined) return false;
  const record = parseRecord("", fields);
  return record.operation === operation && !isTerminal(record.state);
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
