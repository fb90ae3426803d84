import { SatyapanError } from "../../../src/base/error.ts";

/** The SatyapanError that `act` throws; any other error goes through, and none at all is an error. */
export function refusal(act: () => unknown): SatyapanError {
  try {
    act();
  } catch (error) {
    if (error instanceof SatyapanError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}
