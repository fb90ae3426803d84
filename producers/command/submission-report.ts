import type { JobRecord } from "../../src/records/record.ts";
import { isTerminal } from "../../src/outcomes/state.ts";
import { OutcomeTable } from "../report/outcome-table.ts";
import { StateCounts } from "../report/state-counts.ts";
import { stillOpen } from "../report/still-open.ts";

/** What is said at the end of many jobs, from their records as they pass by. */
export class SubmissionReport {
  readonly #states = new StateCounts();
  readonly #outcomes = new OutcomeTable();
  #count = 0;
  #duplicates = 0;
  #reused = 0;
  #firstId = "";
  readonly #open: { count: number; first: JobRecord | null; begun: boolean } = { count: 0, first: null, begun: false };

  add(record: JobRecord): void {
    if (this.#count++ === 0) this.#firstId = record.id;
    this.#states.add(record);
    this.#outcomes.add(record);
    if (record.duplicate === true) this.#duplicates++;
    if (record.reused === true) this.#reused++;
    if (isTerminal(record.state)) return;
    this.#open.count++;
    this.#open.first ??= record;
    if (record.state !== "queued") this.#open.begun = true;
  }

  /** Whether these jobs, `count` of them, have all succeeded. */
  succeeded(count: number): boolean {
    return this.#states.of("succeeded") === count;
  }

  summary(waited: boolean): string {
    const marks = [
      ...(this.#duplicates === 0 ? [] : [`${this.#duplicates} submitted before`]),
      ...(this.#reused === 0 ? [] : [`${this.#reused} not sent: an OTP is open or on its way`]),
    ];
    const before = marks.length === 0 ? "" : ` (${marks.join(", ")})`;
    const jobs = this.#count === 1 ? "job" : "jobs";
    const accepted = `${this.#count} ${jobs}${before}: ${this.#states.format()}\n`;
    if (waited) return `${this.#outcomes.format()}\n${accepted}`;
    return `${accepted}See the first with \`satyapan show ${this.#firstId}\`.\n`;
  }

  /** What to say of those that nobody waits for any longer; null: there are none. `why`: what holds one back where none was begun. */
  async stillOpen(why: (id: string) => Promise<string | null>): Promise<string | null> {
    const { count, first, begun } = this.#open;
    return first === null ? null : stillOpen(first, count, begun ? null : await why(first.id));
  }
}
