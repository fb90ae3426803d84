import { parseDuration } from "../../src/base/duration.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { batchScope, dayScope, type KeyScope } from "../../src/privacy/sealing/data-key.ts";
import { parseTraceparent, type TraceContext } from "../../src/base/trace-context.ts";
import { LANES, type Lane } from "../../src/outcomes/lane.ts";

/** Ten years, in ms: the longest that a duration may be. */
const LONGEST_MS = 3_650 * 86_400_000;

export interface JobTerms {
  readonly lane: Lane;
  /** From when it is accepted, in ms; null: no deadline. */
  readonly expiresInMs: number | null;
  /** The day or batch whose data key seals it. */
  readonly scope: KeyScope;
  /** Whose trace it is a part of; null: it has one of its own. */
  readonly trace: TraceContext | null;
}

/**
 * How a job is to be run, from what its caller said of it (`SubmitOptions`).
 * @throws SatyapanError `bad-input` naming the option, or `expired` for a deadline that has passed
 */
export function jobTerms(
  options: {
    readonly lane?: Lane;
    readonly expiresIn?: string | number;
    readonly batch?: string;
    readonly traceparent?: string;
  },
  defaultLane: Lane,
  now: number,
): JobTerms {
  const { lane = defaultLane, expiresIn, batch, traceparent } = options;
  const trace = traceparent === undefined ? null : parseTraceparent(traceparent);
  const scope = batch === undefined ? dayScope(now) : batchScope(batch);
  // Types do not hold callers in JavaScript back.
  if (!LANES.includes(lane)) throw new SatyapanError(ErrorCode.BAD_INPUT, `lane: must be ${LANES.join(" or ")}`);
  if (traceparent !== undefined && trace === null) {
    const message = "traceparent: must be one of W3C Trace Context, 00-TRACE-SPAN-FLAGS in hexadecimal digits";
    throw new SatyapanError(ErrorCode.BAD_INPUT, message);
  }
  if (expiresIn === undefined) return { lane, scope, trace, expiresInMs: null };
  const ms =
    typeof expiresIn === "number" ? Math.round(expiresIn) : parseDuration(expiresIn, "expiresIn", ErrorCode.BAD_INPUT);
  if (ms <= 0) {
    const message = "expires: the deadline has passed already; give a time to come, such as 10m";
    throw new SatyapanError(ErrorCode.EXPIRED, message);
  }
  if (!(ms <= LONGEST_MS)) {
    const message = "expiresIn: must be a duration such as 10m, or a number of milliseconds up to ten years";
    throw new SatyapanError(ErrorCode.BAD_INPUT, message);
  }
  return { lane, scope, trace, expiresInMs: ms };
}
