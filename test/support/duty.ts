import type { Duty } from "../../src/redis/lease.ts";

/** Of a process that is alone. */
export const ON_DUTY: Duty = { held: true, stepAside: async () => {} };

/** One that a test gives and takes away. */
export class FakeDuty implements Duty {
  held = true;
  /** How often it was given away. */
  aside = 0;

  stepAside(): Promise<void> {
    this.aside++;
    return Promise.resolve();
  }
}
