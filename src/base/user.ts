import { homedir, userInfo } from "node:os";

/** Whoever runs this. A number that the system has no name for, as in many a container, is `uid-12345`. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}

/** `HOME`, or what the system has as its home; for a number that has none a folder that is not there. */
export function homeFolder(): string {
  try {
    return homedir();
  } catch {
    return "/nonexistent";
  }
}
