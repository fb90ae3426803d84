import type { FileCounts } from "../../src/privacy/scan/scan-files.ts";
import type { Finding } from "../../src/secrets/found.ts";
import type { RedisCounts } from "../../src/privacy/scan/scan-redis.ts";
import { formatTable } from "./table.ts";
import { counted } from "./counted.ts";

/** What a scan looked through and found; `--json` prints it as it is. */
export interface ScanReport {
  readonly found: number;
  /** The first of them. */
  readonly findings: readonly Finding[];
  /** Null: it was not looked at. */
  readonly redis: Pick<RedisCounts, "keys" | "bytes"> | null;
  readonly files: Omit<FileCounts, "unreadable">;
  readonly pages: { readonly pages: number; readonly bytes: number };
  /** Secrets, keys and canaries that were looked for beside numbers. */
  readonly values: number;
  /** What was not looked at or for, one sentence each. */
  readonly skipped: readonly string[];
}

export function formatScan({ found, findings, redis, files, pages, values, skipped }: ScanReport): string {
  const looked = [
    ...(redis === null ? [] : [`${counted(redis.keys, "key")} (${formatBytes(redis.bytes)})`]),
    ...(files.files === 0 ? [] : [`${counted(files.files, "file")} (${formatBytes(files.bytes)})`]),
    ...(pages.pages === 0 ? [] : [`${counted(pages.pages, "page")} (${formatBytes(pages.bytes)})`]),
  ];
  const rows = findings.map(({ what, shown, place }) => [what, shown, place]);
  const table = found === 0 ? "" : formatTable([{ title: "found" }, { title: "shown as" }, { title: "where" }], rows);
  const rest = found > findings.length ? `… and ${found - findings.length} more\n` : "";
  const result = found === 0 ? "nothing found" : `${found} found`;
  const notes = skipped.map((note) => `not looked at: ${note}\n`).join("");
  return `${table}${rest}${result} in ${looked.join(", ")}, looking for Aadhaar-like numbers and ${counted(values, "value")}\n${notes}`;
}

function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1_000).toFixed(1)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
