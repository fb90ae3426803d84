import { formatDuration } from "../../src/base/duration.ts";
import type { RedisMemory } from "../../src/redis/memory.ts";
import type { Finding } from "./finding.ts";

/** From so much of it on it is spoken of. */
const NEARLY_FULL = 0.8;
/** Fewer keys that expire, or younger ones (ms), are not reckoned with. */
const LEAST_KEYS = 1_000;
const LEAST_AGE_MS = 3_600_000;

/** Whether a Redis has room now, and for as many records as it will have when the first of them go. */
export function memoryFinding(nodes: readonly RedisMemory[], retentionMs: number): Finding {
  const check = "redis memory";
  const looked = nodes.map((node) => lookAt(node, retentionMs)).toSorted((a, b) => b.share - a.share);
  const [worst] = looked;
  if (worst === undefined || worst.share === 0) {
    return { check, status: "skipped", detail: "Redis does not say how much memory it has" };
  }
  return { check, status: worst.share >= NEARLY_FULL ? "warning" : "ok", detail: worst.detail };
}

function lookAt({ used, base, limit, expiring, averageLeftMs }: RedisMemory, retentionMs: number) {
  if (limit === null) return { share: 0, detail: "" };
  const now = used / limit.bytes;
  const room = `${bytesText(used)} of ${bytesText(limit.bytes)} (${limit.of}) are used`;
  // Written evenly over a time T, they have the retention less T / 2 left on average.
  const ageMs = 2 * (retentionMs - averageLeftMs);
  const isKnown = averageLeftMs > 0 && expiring >= LEAST_KEYS && ageMs >= LEAST_AGE_MS && ageMs < retentionMs;
  const full = isKnown ? base + ((used - base) * retentionMs) / ageMs : used;
  if (now >= NEARLY_FULL) {
    const cure = "raise maxmemory, or shorten RECORD_RETENTION: when it is full new jobs are refused";
    return { share: Math.max(now, full / limit.bytes), detail: `${room}, ${Math.round(now * 100)} %: ${cure}` };
  }
  if (full / limit.bytes < NEARLY_FULL) return { share: full / limit.bytes, detail: room };
  const reckoned =
    `${expiring} keys that expire (records and what leads to them) have ${roughly(averageLeftMs)} left on average, so they came in about ` +
    `${roughly(ageMs)}; in RECORD_RETENTION (${formatDuration(retentionMs)}) that grows to about ${bytesText(full)}`;
  const cure = "raise maxmemory, or shorten RECORD_RETENTION (docs/deployment.md has the formula)";
  return { share: full / limit.bytes, detail: `${room}, which will not do: ${reckoned}: ${cure}` };
}

function roughly(ms: number): string {
  return ms < 2 * 86_400_000 ? `${Math.round(ms / 3_600_000)} h` : `${Math.round(ms / 86_400_000)} days`;
}

function bytesText(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}
