import { assertNever } from "../../src/base/assert-never.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { GateControl } from "../../src/limits/control.ts";
import { isTerminal } from "../../src/outcomes/state.ts";
import type { AuditEntry } from "../../src/privacy/audit/entry.ts";
import { providerOf, type QueueName } from "../../src/queues/names.ts";
import { parseRecord } from "../../src/records/parse-record.ts";
import type { JobRecord } from "../../src/records/record.ts";
import { unpackJob } from "../../src/records/stored-job.ts";
import { type Actor, checkReason } from "../base/actor.ts";
import type { ClientConnections } from "../base/client-connections.ts";
import { gateObstacle } from "../gates/gate-obstacle.ts";
import { asQueued, findFields, unknownJob } from "./find-job.ts";
import { bringForward } from "./requeue.ts";

export interface PromoteOptions {
  /** Why; kept with the record in clear, so without anything personal. */
  readonly reason?: string;
}

/**
 * Has a job tried now that waits for its own backoff. The record says so first, and its place in the queue follows: of whoever dies in
 * between, the next to ask for it does the rest, and without that it is tried as it would have been. Whatever else may stop an
 * attempt is asked when it is taken, as ever.
 * @throws SatyapanError `unknown-job`; `bad-input` for a job that waits for something else, or a bad reason; `expired`
 */
export async function promote(
  { records, queues, redis }: ClientConnections,
  { name: actor, now }: Actor,
  id: string,
  options: PromoteOptions,
): Promise<JobRecord> {
  const reason = options.reason === undefined ? null : checkReason(options.reason);
  const { queue, fields } = await findFields(records, id);
  const record = parseRecord(id, fields);
  const { subject, holdNames } = unpackJob(fields["job"] ?? "");
  if (record.state !== "waiting" || fields["cause"] !== "backoff") throw notBackingOff(record);
  const wall = gateObstacle(await new GateControl(redis).read(queue), holdNames, providerOf(queue));
  // A place and a turn come by themselves.
  if (wall !== null && wall.cause !== "quota" && wall.cause !== "busy") {
    throw new SatyapanError(ErrorCode.BAD_INPUT, `job ${id} would not be called now: ${wall.text}`);
  }
  const at = now();
  const entry: AuditEntry = {
    ...{ at: new Date(at).toISOString(), kind: "promote", actor, job: id, operation: record.operation, subject },
    reason,
  };
  const line = JSON.stringify({ decision: "promote", reason, at });
  const answer = await records.promote(queue, id, line, at, entry);
  switch (answer) {
    case "done":
    case "due":
      await bringForward(queues, queue, asQueued(record));
      return await again(records, queue, id);
    case "missing":
      throw unknownJob(id);
    case "expired":
      throw new SatyapanError(ErrorCode.EXPIRED, `job ${id} had to be done by ${record.expires_at}: submit a new one`);
    case "other":
      throw notBackingOff(await again(records, queue, id));
    default:
      return assertNever(answer, "answer");
  }
}

async function again(records: ClientConnections["records"], queue: QueueName, id: string): Promise<JobRecord> {
  const record = await records.get(queue, id);
  if (record === null) throw unknownJob(id);
  return record;
}

/** What would bring it on instead. */
function notBackingOff({ id, state, reason }: JobRecord): SatyapanError {
  const is = `job ${id} is ${state}${state === "waiting" && reason !== null ? ` (${reason})` : ""}`;
  const instead =
    state === "failed"
      ? `\`satyapan failed retry ${id}\` gives it its attempts back`
      : state === "unknown"
        ? `\`satyapan settle ${id} succeeded|rejected|resend --reason TEXT\` decides it`
        : isTerminal(state)
          ? "it is over"
          : state === "active"
            ? "its call is under way"
            : `\`satyapan explain ${id}\` says what it waits for`;
  return new SatyapanError(
    ErrorCode.BAD_INPUT,
    `${is}, not backing off: only a wait of its own after a failure is cut short; ${instead}`,
  );
}
