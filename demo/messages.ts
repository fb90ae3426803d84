import type { RequestRecord } from "../simulator/request-log.ts";
import type { SimulatorStats } from "../simulator/world.ts";
import type { EndedRun } from "./runs.ts";

/** The SMS that were sent, and those that had a reason to be the second for one person. */
export interface Messages {
  readonly sent: number;
  /** To a person, by each operation. */
  readonly first: number;
  /** `--resends`: nobody answered the one before. */
  readonly askedAgain: number;
  /** Deepvue's send is repeated once where nobody knows whether it happened (design §3). */
  readonly afterUnknown: number;
  /** Without any reason: there must be none. */
  readonly unasked: number;
}

/** As the stand-in counted them, against what the batches say. */
export function countMessages(
  { otps_sent, sent_more_than_once }: SimulatorStats,
  requests: readonly RequestRecord[],
  runs: readonly EndedRun[],
): Messages {
  const broken = requests.filter(
    ({ fault, provider, committed }) =>
      fault === "drop-after-commit" && provider === "deepvue" && committed === "otp-sent",
  );
  const more = sent_more_than_once.reduce((sum, { count }) => sum + count - 1, 0);
  const again = runs.flatMap(({ results }) => results).reduce((sum, { asked_again }) => sum + asked_again, 0);
  const askedAgain = Math.min(more, again);
  const afterUnknown = Math.min(more - askedAgain, broken.length);
  return {
    sent: otps_sent,
    first: otps_sent - more,
    askedAgain,
    afterUnknown,
    unasked: more - askedAgain - afterUnknown,
  };
}
