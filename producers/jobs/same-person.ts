import type { Settings } from "../../src/config/settings.ts";
import { ErrorCode, SatyapanError } from "../../src/base/error.ts";
import { subjectOf } from "../../src/operations/subject.ts";
import type { CheckedInput } from "../../src/entry/input-check.ts";

/** More would scroll the first ones away. */
const SHOWN = 5;

/** Several inputs of one submission would send an OTP to one person each; none was accepted. */
export class SamePersonError extends SatyapanError {
  /** Positions of the inputs, from 0: one list for each person. */
  readonly groups: readonly (readonly number[])[];

  constructor(groups: readonly (readonly number[])[]) {
    const texts = groups.slice(0, SHOWN).map((group) => `rows ${listed(group.map((index) => String(index + 1)))}`);
    const more = groups.length > SHOWN ? `, and ${groups.length - SHOWN} more such groups` : "";
    super(
      ErrorCode.SAME_PERSON,
      `${texts.join(", ")} are for one person${groups.length > 1 ? " each" : ""}${more}, so none was submitted: leave out all but one, or say whether one OTP serves them (if-pending reuse) or each gets its own after the cooldown (if-pending wait)`,
    );
    this.groups = groups;
  }
}

/** Finds the inputs of one submission that would send an OTP to one person. 16 to 32 bytes an input. */
export class SamePersons {
  readonly #settings: Settings;
  readonly #rows = new FirstRows();
  readonly #groups = new Map<number, number[]>();

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  add(row: number, { operation, input, known }: CheckedInput): void {
    if (known !== null || operation.step !== "send") return;
    const subject = subjectOf(this.#settings.subjectKey, operation, input);
    if (subject === null) return;
    const first = this.#rows.add(subject, row);
    if (first === row) return;
    const group = this.#groups.get(first);
    if (group === undefined) this.#groups.set(first, [first, row]);
    else group.push(row);
  }

  get none(): boolean {
    return this.#groups.size === 0;
  }

  /** Positions of the inputs, in order: one list for each person who has several. */
  groups(): number[][] {
    return [...this.#groups.values()];
  }
}

/** A slot: 96 bits of the subject's hash, then the row and 1; 0 where it is empty. */
const SLOT = 4;

/** The first row of each subject: a hash table without an object per row, which keeps a million in 32 MB. */
class FirstRows {
  #slots = new Uint32Array(1_024 * SLOT);
  #size = 0;

  /** The row where this subject (22 characters of base64url) was first added: this one, if it is new. */
  add(subject: string, row: number): number {
    if (2 * this.#size * SLOT >= this.#slots.length) this.#grow();
    const hash = Buffer.from(subject, "base64url");
    const slot = find(this.#slots, hash.readUInt32LE(0), hash.readUInt32LE(4), hash.readUInt32LE(8));
    const first = this.#slots[slot + 3] ?? 0;
    if (first > 0) return first - 1;
    this.#slots.set([hash.readUInt32LE(0), hash.readUInt32LE(4), hash.readUInt32LE(8), row + 1], slot);
    this.#size++;
    return row;
  }

  #grow(): void {
    const larger = new Uint32Array(2 * this.#slots.length);
    for (let from = 0; from < this.#slots.length; from += SLOT) {
      const [a = 0, b = 0, c = 0, row = 0] = this.#slots.subarray(from, from + SLOT);
      if (row > 0) larger.set([a, b, c, row], find(larger, a, b, c));
    }
    this.#slots = larger;
  }
}

/** Where that hash is, or the empty slot for it. */
function find(slots: Uint32Array, a: number, b: number, c: number): number {
  for (let slot = (a * SLOT) % slots.length; ; slot = (slot + SLOT) % slots.length) {
    if (slots[slot + 3] === 0 || (slots[slot] === a && slots[slot + 1] === b && slots[slot + 2] === c)) return slot;
  }
}

function listed(words: readonly string[]): string {
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1) ?? ""}`;
}
