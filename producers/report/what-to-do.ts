import { assertNever } from "../../src/base/assert-never.ts";
import type { RowState } from "../../src/batches/row-state.ts";

/** What somebody can do about a row of this batch in that state; empty: nothing has to be done. `job`: the id of the row's job. */
export function whatToDo(state: RowState, batch: string, job: string): string {
  const takeBack = `have the results taken back with \`satyapan batch submit FILE --repairs ${batch}\``;
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
      return `a final no, of the provider or on the phone: correct what is wrong with the row, and ${takeBack}`;
    case "failed":
      return `every attempt failed and nothing was done: try it again with \`satyapan failed retry ${job}\``;
    case "unknown":
      return `it may have happened: find out, then \`satyapan settle ${job} succeeded|rejected|resend --reason …\``;
    case "expired":
      return `its time was over before it was called, or its code did not come in time: if it is still wanted, fill in what is masked, and ${takeBack}`;
    case "skipped":
      return `the row was bad and was not called: mend it, and ${takeBack}`;
    case "cancelled":
      return "it was called off before its next call: submit it again, if it is still wanted";
    default:
      return assertNever(state, "state of a row");
  }
}
