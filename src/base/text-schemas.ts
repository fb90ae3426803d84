import { isIP } from "node:net";
import { describeRange, readDuration, type DurationRange } from "./duration.ts";
import { Complaint, quote, textSchema, type TextSchema } from "./text.ts";

const MOST_DELAYS = 10;
/** An id that is not secret, but not for messages either: Eko's `initiator_id` is somebody's mobile number. */
export const idSchema: TextSchema<string> = textSchema("letters and digits", (text) =>
  /^[A-Za-z0-9_-]{1,64}$/.test(text) ? text : new Complaint('must be 1 to 64 letters, digits, "_" or "-"'),
);

/** A whole number between two others, both included. */
export function wholeNumberSchema(least: number, most: number): TextSchema<number> {
  return textSchema(`whole number, ${least} to ${most}`, (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
    if (number >= least && number <= most) return number;
    return new Complaint(`must be a whole number from ${least} to ${most}, not ${quote(text)}`);
  });
}

/** One of some words. */
export function choiceSchema<const Word extends string>(...words: readonly Word[]): TextSchema<Word> {
  return textSchema(words.join(", "), (text) => {
    const word = words.find((candidate) => candidate === text);
    return word ?? new Complaint(`must be one of ${words.join(", ")}, not ${quote(text)}`);
  });
}

/** `on` or `off`. */
export const switchSchema: TextSchema<boolean> = textSchema("on, off", (text) => {
  if (text === "on") return true;
  return text === "off" ? false : new Complaint(`must be on or off, not ${quote(text)}`);
});

/** `10%` → 0.1. */
export const shareSchema: TextSchema<number> = textSchema("whole percentage, 0% to 50%", (text) => {
  const percent = /^(\d{1,2})%$/.exec(text)?.[1];
  if (percent !== undefined && Number(percent) <= 50) return Number(percent) / 100;
  return new Complaint(`must be a percentage from 0% to 50%, like 10%, not ${quote(text)}`);
});

/** `60s,120s,300s` → milliseconds. */
export function delaysSchema(range: DurationRange): TextSchema<readonly number[]> {
  const takes = `1 to ${MOST_DELAYS} durations, each ${describeRange(range)}`;
  return textSchema(takes, (text) => {
    const parts = text.split(",");
    if (parts.length > MOST_DELAYS)
      return new Complaint(`must have at most ${MOST_DELAYS} durations, not ${parts.length}`);
    const delays: number[] = [];
    for (const part of parts) {
      const ms = readDuration(part.trim(), range);
      if (ms instanceof Complaint) return new Complaint(`must be a list of durations; each ${ms.message}`);
      delays.push(ms);
    }
    return delays;
  });
}

/**
 * Where a provider is: https, and http only to this machine or to a host of one label (a container's name, such as
 * `simulator`), because Deepvue takes everything in the query string. No message repeats it: it may hold a password.
 */
export const baseUrlSchema: TextSchema<URL> = textSchema("https URL without query", (text) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return new Complaint("must be a URL like https://api.example.com/base");
  }
  if (url.username !== "" || url.password !== "") return new Complaint("must not have a user or password in it");
  if (/[?#]/.test(text)) return new Complaint("must end with the path: no query (?) and no fragment (#)");
  if (url.protocol === "http:" && !isNear(url.hostname)) {
    return new Complaint(
      "must begin with https:// (http:// is for this machine and hosts of one label, like simulator)",
    );
  }
  url.pathname = url.pathname.replace(/\/+$/, "");
  return url;
});

/** Where to listen: an address (IPv6 without brackets) or a name. Whether it is this machine's shows only then. */
export const hostSchema: TextSchema<string> = textSchema("address or name of this machine", (text) =>
  isIP(text) !== 0 || /^(?!-)[A-Za-z0-9_.-]{0,252}[A-Za-z][A-Za-z0-9_.-]{0,252}$/.test(text)
    ? text
    : new Complaint(`must be an address or a name of this machine, like 127.0.0.1, without a port, not ${quote(text)}`),
);

/** A folder on this machine. */
export const folderSchema: TextSchema<string> = textSchema("path of a folder", (text) =>
  /^[^\p{Cc}]{1,1024}$/u.test(text) ? text : new Complaint("must be the path of a folder"),
);

/** This machine, or a name without a dot, which no public resolver answers. */
function isNear(hostname: string): boolean {
  if (hostname === "[::1]" || hostname.endsWith(".localhost")) return true;
  return /^127\.\d+\.\d+\.\d+$/.test(hostname) || /^[A-Za-z0-9_-]+$/.test(hostname);
}
