import { randomUUID } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { ErrorCode, SatyapanError } from "../../base/error.ts";
import { hasCode } from "../../base/error-code.ts";
import { ProcessIdentity, identityOf, isAlive } from "./process-identity.ts";

/** How often a held lock is looked at again, in ms. */
const LOOK_EVERY_MS = 20;

/** What the lock file says: who holds it, and which holding this is. */
const Holding = ProcessIdentity.extend({ nonce: z.uuid() });
type Holding = z.infer<typeof Holding>;

/**
 * Runs `act` while no other call, in any process of this machine, runs one with the same `path`. A lock whose process has
 * ended (`kill -9`) is taken over. `waitMs` is how long a living holder is waited for.
 * @throws SatyapanError REDIS_UNREACHABLE when that time is over; whatever `act` throws.
 */
export async function withFileLock<T>(path: string, waitMs: number, act: () => Promise<T>): Promise<T> {
  await acquire(path, waitMs);
  try {
    return await act();
  } finally {
    await rm(path, { force: true });
  }
}

/** The file appears with its whole content, by a hard link: nobody reads half of it. */
async function acquire(path: string, waitMs: number): Promise<void> {
  const nonce = randomUUID();
  const draft = `${path}.draft-${nonce}`;
  await writeFile(draft, JSON.stringify({ ...identityOf(process.pid), nonce }), { flag: "wx", mode: 0o600 });
  try {
    for (let waited = 0; !(await linked(draft, path)); waited += LOOK_EVERY_MS) {
      const holding = await readHolding(path);
      if (holding === "gone") continue;
      if (holding === "unreadable" || !isAlive(holding)) {
        await breakStale(path, holding, waitMs);
        continue;
      }
      if (waited >= waitMs) throw heldTooLong(path, holding, waitMs);
      await sleep(LOOK_EVERY_MS);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Removes exactly the holding that was seen. Two processes may see the same dead one; a lock named after it lets one of them
 * remove it, and the other finds it gone, so that the lock a third has taken meanwhile is never removed.
 */
async function breakStale(path: string, seen: Holding | "unreadable", waitMs: number): Promise<void> {
  const name = seen === "unreadable" ? seen : seen.nonce;
  await withFileLock(`${path}.break-${name}`, waitMs, async () => {
    const now = await readHolding(path);
    const same =
      now === "unreadable" || now === "gone" ? now === seen : seen !== "unreadable" && now.nonce === seen.nonce;
    if (same) await rm(path, { force: true });
  });
}

async function linked(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (hasCode(error, "EEXIST")) return false;
    throw error;
  }
}

/** `unreadable`: only after a crash of the machine, as the file appears whole. */
async function readHolding(path: string): Promise<Holding | "gone" | "unreadable"> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return "gone";
    throw error;
  }
  try {
    return Holding.parse(JSON.parse(text));
  } catch {
    return "unreadable";
  }
}

function heldTooLong(path: string, holding: Holding, waitMs: number): SatyapanError {
  return new SatyapanError(
    ErrorCode.REDIS_UNREACHABLE,
    `${path} has been held by process ${holding.pid} for over ${waitMs / 1_000} s: wait for that command, or end it, and try again`,
  );
}
