/** A slot: 96 bits of the subject's hash, then the row and 1; 0 where it is empty. */
const SLOT = 4;

/** The first row of each subject: a hash table without an object per row, which keeps a million in 32 MB. */
export class FirstRows {
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
