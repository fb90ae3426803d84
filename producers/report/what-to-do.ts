import { assertNever } from "../../src/base/assert-never.ts";
import type { RowState } from "../../src/batches/row-state.ts";

const TAKE_BACK = "have the results taken back with `satyapan batch submit FILE --repairs BATCH`";

/** What somebody can do about a row in that state; empty: nothing has to be done. `job`: the id of the row's job. */
export function whatToDo(state: RowState, job: string): string {
  switch (state) {
    case "succeeded":
    case "duplicate":
      return "";
    case "waiting":
    case "queued":
    case "calling":
      return "wait: it has not ended";
    case "awaiting_otp":
      return "ask the person for the code";
    case "rejected":
      return `the provider's final no: correct what is wrong with the row, and ${TAKE_BACK}`;
    case "failed":
      return "every attempt failed and nothing was done: try it again with `satyapan failed retry`";
    case "unknown":
      return `it may have happened: find out, then \`satyapan settle ${job} succeeded|rejected|resend --reason …\``;
    case "expired":
      return `its time was over before it was called, or its code did not come in time: if it is still wanted, fill in what is masked, and ${TAKE_BACK}`;
    case "skipped":
      return `the row was bad and was not called: mend it, and ${TAKE_BACK}`;
    case "cancelled":
      return "it was called off before its next call: submit it again, if it is still wanted";
    default:
      return assertNever(state, "state of a row");
  }
}
