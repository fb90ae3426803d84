import type { Outcome } from "../src/outcomes/outcome.ts";
import { isCredible } from "../src/outcomes/challenge.ts";
import type { Logger } from "../src/telemetry/logger.ts";

/** What providers say about until when their OTPs are good. It is a hint: they alone judge their codes. */
export class Deadlines {
  readonly #logger: Logger;
  readonly #told = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** The outcome without a deadline that cannot be true at `receivedAt`, ms; said once for each operation. */
  checked(outcome: Outcome, operation: string, receivedAt: number): Outcome {
    const said = outcome.kind === "succeeded" ? outcome.result["otp_valid_until"] : undefined;
    if (outcome.kind !== "succeeded" || typeof said !== "string") return outcome;
    const until = Date.parse(said);
    if (isCredible(until, receivedAt)) return outcome;
    if (!this.#told.has(operation)) {
      this.#told.add(operation);
      const facts = { operation, ms_from_now: until - receivedAt };
      this.#logger.warn(
        facts,
        "the provider's deadline of an OTP is past or far ahead: our own default counts instead",
      );
    }
    return { ...outcome, result: { ...outcome.result, otp_valid_until: null } };
  }
}
