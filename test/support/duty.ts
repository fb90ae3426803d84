import type { Duty } from "../../src/redis/lease.ts";

/** The duty of a process that is alone. */
export const ON_DUTY: Duty = { held: true, stepAside: async () => {} };

/** A duty that a test gives and takes away. */
export class FakeDuty implements Duty {
  held = true;
  /** The number of times that it was given away. */
  aside = 0;

  stepAside(): Promise<void> {
    this.aside++;
    return Promise.resolve();
  }
}
