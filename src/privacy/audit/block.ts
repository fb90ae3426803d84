import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import { auditBroken } from "./broken.ts";

/** Lines that were chained, or packed, together. */
export interface Block {
  /** That of the last line (`streamId`). */
  readonly id: string;
  readonly lines: readonly string[];
}

/** An entry of a stream as Redis tells it: its id and its fields with their values. */
type StreamEntry<Text> = readonly [id: Text, fields: readonly Text[]];

/** What unpacks to more than this was not packed by us, in bytes. */
const LONGEST = 64 << 20;

// In a thread of its own: half a megabyte takes some ms.
const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

export async function packLines(lines: readonly string[]): Promise<Buffer> {
  return await compress(lines.join("\n"));
}

export function readBlocks(entries: readonly StreamEntry<string>[]): Block[] {
  return entries.map(([id, fields]) => ({ id, lines: (fields[1] ?? "").split("\n") }));
}

/** Throws SatyapanError `audit-broken` for what `packLines` did not make. */
export async function readPacked(entries: readonly StreamEntry<Buffer>[]): Promise<Block[]> {
  return await Promise.all(
    entries.map(async ([at, fields]) => {
      const id = at.toString();
      try {
        const text = await decompress(fields[1] ?? Buffer.alloc(0), { maxOutputLength: LONGEST });
        return { id, lines: text.toString("utf8").split("\n") };
      } catch {
        throw auditBroken(`what it packed in Redis up to entry ${id.split("-")[1] ?? ""} was altered`);
      }
    }),
  );
}

/** The number and the hash of a block's last line, and the first id of what comes after it. Throws SatyapanError `audit-broken`. */
export function blockAt({ id, lines }: Block): { readonly seq: number; readonly hash: string; readonly next: string } {
  const [ms = "", number = ""] = id.split("-");
  const seq = Number(number);
  const hash = /"hash":"([^"]+)"\}$/.exec(lines.at(-1) ?? "")?.[1];
  if (hash === undefined) throw auditBroken(`entry ${seq} of the log in Redis has no hash`);
  return { seq, hash, next: `${ms}-${seq + 1}` };
}
