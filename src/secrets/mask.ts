import { assertNever } from "../base/assert-never.ts";

/** How a personal value is shown. `hidden` shows nothing, not even a length. */
export type MaskName = "aadhaar" | "mobile" | "hidden";

/**
 * The printable form of a personal value. Aadhaar keeps the last four of twelve digits (`XXXX XXXX 9012`: UIDAI asks for
 * the first eight to be masked, facts/deepvue §5.3), a mobile number the last four of ten (`XXXXXX3210`).
 * A value that is not of the expected form is hidden whole.
 */
export function mask(name: MaskName, value: string): string {
  switch (name) {
    case "aadhaar":
      return /^\d{12}$/.test(value) ? `XXXX XXXX ${value.slice(8)}` : "XXXX XXXX XXXX";
    case "mobile":
      return /^\d{10}$/.test(value) ? `XXXXXX${value.slice(6)}` : "XXXXXXXXXX";
    case "hidden":
      return "********";
    default:
      return assertNever(name, "mask");
  }
}

/** Whether a text is what `mask` makes of a value, also in other capitals. */
export function isMasked(text: string): boolean {
  return /^(?:X{4} X{4} (?:X{4}|\d{4})|X{6}(?:X{4}|\d{4})|\*{8})$/i.test(text);
}
