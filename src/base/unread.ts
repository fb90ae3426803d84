/**
 * In place of what is there, and what this version cannot read, because a newer one wrote it. Nothing follows from it: whoever can read it
 * decides. What is not there is null.
 */
export const UNREAD = "unread";
export type Unread = typeof UNREAD;

/** Neither missing nor of a version that this one cannot read. */
export function isRead<T>(value: T | Unread | null): value is T {
  return value !== null && value !== UNREAD;
}
